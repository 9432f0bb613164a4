// Loaded when it is used, and only this much of the SDK gets into the bundle.
export { EC2Client, paginateDescribeInstances } from "@aws-sdk/client-ec2";
