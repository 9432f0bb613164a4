// Loaded when it is used, and only this much of the SDK gets into the bundle.
export {
  DescribeImagesCommand,
  DescribeInstanceTypeOfferingsCommand,
  DescribeInstanceTypesCommand,
  DescribeSubnetsCommand,
  EC2Client,
  paginateDescribeInstances,
  RunInstancesCommand,
} from "@aws-sdk/client-ec2";
