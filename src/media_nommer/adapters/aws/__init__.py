"""Amazon's services: SQS, SimpleDB, DynamoDB and S3, through boto3."""
