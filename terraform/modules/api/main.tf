# The REST API that the contract document describes, its stage, and who may call how often.

data "aws_caller_identity" "this" {}

data "aws_partition" "this" {}

data "aws_region" "this" {}

locals {
  contract = yamldecode(templatefile("${path.module}/openapi.yaml", {
    account_id          = data.aws_caller_identity.this.account_id
    gateway_role_arn    = aws_iam_role.gateway.arn
    partition           = data.aws_partition.this.partition
    prefix              = var.prefix
    region              = data.aws_region.this.name
    user_pool_arn       = var.user_pool_arn
    user_pool_client_id = var.user_pool_client_id
  }))

  # API Gateway gets JSON without anchors, and not the part that only holds what they name.
  body = jsonencode({ for key, value in local.contract : key => value if key != "x-shared" })

  # The paths don't depend on what is filled in, so they are known before anything is made.
  paths = yamldecode(file("${path.module}/openapi.yaml")).paths
  posts = { for path, item in local.paths : item.post.operationId => "${trimprefix(path, "/")}/POST" if can(item.post) }
}

resource "aws_api_gateway_rest_api" "this" {
  name        = var.prefix
  description = "Utilities billing of ${var.prefix}"
  body        = local.body

  # An own domain is then the only way in, so that nobody goes round what may stand before it.
  disable_execute_api_endpoint = var.domain != null

  endpoint_configuration {
    types = ["REGIONAL"]
  }

  lifecycle {
    create_before_destroy = true
  }
}

# A deployment is a snapshot: every change of the text makes a new one.
resource "aws_api_gateway_deployment" "this" {
  rest_api_id = aws_api_gateway_rest_api.this.id
  triggers    = { contract = sha256(local.body) }

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_api_gateway_stage" "this" {
  #checkov:skip=CKV_AWS_120:A reply is read once and by one resident; a cached one would be old or somebody else's.
  #checkov:skip=CKV2_AWS_4:Execution logs quote what clients send, and logins send passwords; the access log and X-Ray tell the rest.
  #checkov:skip=CKV2_AWS_51:Residents prove who they are by tokens of the user pool; nobody hands them certificates.
  #checkov:skip=CKV2_AWS_77:AWSManagedRulesKnownBadInputsRuleSet is among local.managed_rules, whose rules are dynamic and not seen.

  rest_api_id          = aws_api_gateway_rest_api.this.id
  deployment_id        = aws_api_gateway_deployment.this.id
  stage_name           = var.stage_name
  xray_tracing_enabled = true

  access_log_settings {
    destination_arn = aws_cloudwatch_log_group.access.arn
    # No path, since paths hold queue names and apartments; no query, which holds receipts; no header, no body.
    format = jsonencode({
      request_id         = "$context.requestId"
      time               = "$context.requestTime"
      address            = "$context.identity.sourceIp"
      method             = "$context.httpMethod"
      resource           = "$context.resourcePath"
      status             = "$context.status"
      response_type      = "$context.error.responseType"
      response_bytes     = "$context.responseLength"
      milliseconds       = "$context.responseLatency"
      integration_status = "$context.integration.status"
      queue_milliseconds = "$context.integration.latency"
      firewall_error     = "$context.waf.error"
      firewall_status    = "$context.waf.status"
      authorizer_status  = "$context.authorizer.status"
      trace_id           = "$context.xrayTraceId"
    })
  }

  depends_on = [aws_api_gateway_account.this]
}

resource "aws_cloudwatch_log_group" "access" {
  name              = "/aws/apigateway/${var.prefix}-access"
  retention_in_days = var.log_retention_days
  kms_key_id        = var.kms_key_arn
}

# Execution logs stay off and so does the data trace: both can quote bodies, and bodies hold passwords.

resource "aws_api_gateway_method_settings" "polls" {
  #checkov:skip=CKV_AWS_225:A reply is read once and by one resident; a cached one would be old or somebody else's.

  rest_api_id = aws_api_gateway_rest_api.this.id
  stage_name  = aws_api_gateway_stage.this.stage_name
  method_path = "*/*"

  settings {
    metrics_enabled        = true
    logging_level          = "OFF"
    data_trace_enabled     = false
    throttling_rate_limit  = var.throttles.polls.rate
    throttling_burst_limit = var.throttles.polls.burst
  }
}

resource "aws_api_gateway_method_settings" "posts" {
  #checkov:skip=CKV_AWS_225:A reply is read once and by one resident; a cached one would be old or somebody else's.

  for_each = local.posts

  rest_api_id = aws_api_gateway_rest_api.this.id
  stage_name  = aws_api_gateway_stage.this.stage_name
  method_path = each.value

  settings {
    metrics_enabled        = true
    logging_level          = "OFF"
    data_trace_enabled     = false
    throttling_rate_limit  = var.throttles.posts.rate
    throttling_burst_limit = var.throttles.posts.burst
  }
}

resource "aws_api_gateway_usage_plan" "this" {
  name        = var.prefix
  description = "What one API key may ask of ${var.prefix}"

  api_stages {
    api_id = aws_api_gateway_rest_api.this.id
    stage  = aws_api_gateway_stage.this.stage_name
  }

  throttle_settings {
    rate_limit  = var.throttles.polls.rate
    burst_limit = var.throttles.polls.burst
  }

  quota_settings {
    limit  = var.requests_per_day
    period = "DAY"
  }
}
