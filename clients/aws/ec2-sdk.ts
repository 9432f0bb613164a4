// Loaded when it is used, and only this much of the SDK gets into the bundle.
export {
  DescribeImagesCommand,
  DescribeInstanceTypesCommand,
  DescribeSubnetsCommand,
  EC2Client,
  paginateDescribeInstances,
  paginateDescribeInstanceTypeOfferings,
  RunInstancesCommand,
} from "@aws-sdk/client-ec2";
