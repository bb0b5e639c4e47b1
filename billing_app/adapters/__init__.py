"""The ports fulfilled by Postgres, Redis, Cognito, SQS and Secrets Manager."""
