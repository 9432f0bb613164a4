// Loaded when it is used, and only this much of the SDK gets into the bundle.
export { DescribeInstancesCommand, EC2Client } from "@aws-sdk/client-ec2";
