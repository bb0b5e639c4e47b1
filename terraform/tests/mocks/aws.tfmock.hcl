# What every test of Terraform gets for what AWS would make up.

mock_data "aws_availability_zones" {
  defaults = { names = ["eu-central-1a", "eu-central-1b", "eu-central-1c"] }
}

mock_data "aws_caller_identity" {
  defaults = { account_id = "123456789012" }
}

mock_data "aws_iam_policy_document" {
  defaults = { json = "{}" }
}

mock_data "aws_partition" {
  defaults = { partition = "aws" }
}

mock_data "aws_region" {
  defaults = { name = "eu-central-1" }
}

mock_resource "aws_api_gateway_domain_name" {
  defaults = { regional_domain_name = "d-abc.execute-api.eu-central-1.amazonaws.com", regional_zone_id = "Z1" }
}

mock_resource "aws_api_gateway_rest_api" {
  defaults = { arn = "arn:aws:apigateway:eu-central-1::/restapis/abcde12345" }
}

mock_resource "aws_api_gateway_stage" {
  defaults = {
    arn        = "arn:aws:apigateway:eu-central-1::/restapis/abcde12345/stages/v1"
    invoke_url = "https://abcde12345.execute-api.eu-central-1.amazonaws.com/v1"
  }
}

mock_resource "aws_cloudwatch_event_rule" {
  defaults = { arn = "arn:aws:events:eu-central-1:123456789012:rule/bill-test-rule" }
}

mock_resource "aws_cloudwatch_log_group" {
  defaults = { arn = "arn:aws:logs:eu-central-1:123456789012:log-group:aws-waf-logs-bill-test" }
}

mock_resource "aws_cognito_user_pool" {
  defaults = { arn = "arn:aws:cognito-idp:eu-central-1:123456789012:userpool/eu-central-1_AbCdEfGhI" }
}

mock_resource "aws_db_instance" {
  defaults = {
    address            = "bill-test-db.abc.eu-central-1.rds.amazonaws.com"
    port               = 5432
    master_user_secret = [{ secret_arn = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:rds!db-1", kms_key_id = "", secret_status = "active" }]
  }
}

# The provider rejects names that start with a digit, as one in four made-up ones does.
mock_resource "aws_db_parameter_group" {
  defaults = { name = "bill-test-db-1" }
}

mock_resource "aws_db_proxy" {
  defaults = { endpoint = "bill-test-db-proxy.proxy-abc.eu-central-1.rds.amazonaws.com" }
}

mock_resource "aws_db_proxy_default_target_group" {
  defaults = { name = "default" }
}

mock_resource "aws_elasticache_replication_group" {
  defaults = { primary_endpoint_address = "master.bill-test-cache.abc.euc1.cache.amazonaws.com" }
}

mock_resource "aws_iam_role" {
  defaults = { arn = "arn:aws:iam::123456789012:role/bill-test-role" }
}

mock_resource "aws_kms_key" {
  defaults = { arn = "arn:aws:kms:eu-central-1:123456789012:key/11111111-2222-3333-4444-555555555555" }
}

mock_resource "aws_lambda_function" {
  defaults = { arn = "arn:aws:lambda:eu-central-1:123456789012:function:bill-test-function" }
}

mock_resource "aws_lambda_invocation" {
  defaults = { result = "{\"status\":\"done\"}" }
}

mock_resource "aws_secretsmanager_secret" {
  defaults = { arn = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:bill-test" }
}

mock_resource "aws_security_group" {
  defaults = { id = "sg-1" }
}

mock_resource "aws_sns_topic" {
  defaults = { arn = "arn:aws:sns:eu-central-1:123456789012:bill-test-alarms" }
}

mock_resource "aws_vpc" {
  defaults = { id = "vpc-1" }
}

mock_resource "aws_wafv2_web_acl" {
  defaults = { arn = "arn:aws:wafv2:eu-central-1:123456789012:regional/webacl/bill-test/11111111-2222-3333-4444-555555555555" }
}
