"""What the stores on DynamoDB and SimpleDB share: records as items, and pages of jobs."""
