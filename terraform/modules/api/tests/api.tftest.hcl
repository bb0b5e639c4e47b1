mock_provider "aws" {
  source = "../../tests/mocks"
}

variables {
  prefix              = "bill-test"
  stage_name          = "v1"
  user_pool_arn       = "arn:aws:cognito-idp:eu-central-1:123456789012:userpool/eu-central-1_AbCdEfGhI"
  user_pool_client_id = "1example23456789"
  kms_key_arn         = "arn:aws:kms:eu-central-1:123456789012:key/11111111-2222-3333-4444-555555555555"
  throttles           = { posts = { rate = 100, burst = 200 }, polls = { rate = 500, burst = 1000 } }

  request_queue_arns = {
    for operation in keys(jsondecode(file("../../service.json")).queues.requests) :
    operation => "arn:aws:sqs:eu-central-1:123456789012:bill-test-${operation}"
  }
}

run "the_gateway_puts_requests_and_takes_replies_and_nothing_else" {
  assert {
    condition = [for statement in data.aws_iam_policy_document.gateway.statement : { actions = statement.actions, resources = statement.resources }] == [
      { actions = toset(["sqs:SendMessage"]), resources = toset(values(var.request_queue_arns)) },
      {
        actions   = toset(["sqs:DeleteMessage", "sqs:ReceiveMessage"])
        resources = toset(["arn:aws:sqs:eu-central-1:123456789012:bill-test-login-*", "arn:aws:sqs:eu-central-1:123456789012:bill-test-r-*"])
      },
    ]
    error_message = "The gateway may send to the request queues, and read and delete in the reply queues, no more."
  }

  assert {
    condition     = one(one(data.aws_iam_policy_document.trust.statement).principals) == { type = "Service", identifiers = toset(["apigateway.amazonaws.com"]) }
    error_message = "Only API Gateway may act in its role."
  }

  # Everything that the contract sends to is a queue that the gateway may send to, in this region and account.
  assert {
    condition = toset([
      for path in jsondecode(aws_api_gateway_rest_api.this.body).paths : path.post["x-amazon-apigateway-integration"].uri if can(path.post)
      ]) == toset([
      for arn in values(var.request_queue_arns) : "arn:aws:apigateway:eu-central-1:sqs:path/123456789012/${split(":", arn)[5]}"
    ])
    error_message = "The contract must send to the request queues."
  }

  assert {
    condition = toset(flatten([
      for path in jsondecode(aws_api_gateway_rest_api.this.body).paths : [
        for method in ["get", "post", "delete"] : path[method]["x-amazon-apigateway-integration"].credentials if can(path[method])
      ]
    ])) == toset([aws_iam_role.gateway.arn])
    error_message = "Every integration must use the gateway's role."
  }
}

run "the_contract_is_complete_and_a_change_is_a_new_deployment" {
  assert {
    condition     = !can(jsondecode(aws_api_gateway_rest_api.this.body)["x-shared"]) && length(jsondecode(aws_api_gateway_rest_api.this.body).paths) == 2 * length(var.request_queue_arns)
    error_message = "API Gateway gets the contract's paths, and no part that only holds anchors."
  }

  assert {
    condition     = aws_api_gateway_deployment.this.triggers == tomap({ contract = sha256(aws_api_gateway_rest_api.this.body) })
    error_message = "The deployment must follow the text that is deployed."
  }
}

run "each_template_of_a_resident_rejects_tokens_of_other_clients" {
  assert {
    condition = alltrue(flatten([
      for path in jsondecode(aws_api_gateway_rest_api.this.body).paths : [
        for method in ["get", "post", "delete"] :
        strcontains(path[method]["x-amazon-apigateway-integration"].requestTemplates["application/json"], "#if($context.authorizer.claims.aud == '${var.user_pool_client_id}')")
        if can(path[method].security)
      ]
    ]))
    error_message = "The authorizer takes tokens of any client of the pool, so the templates must look."
  }
}

run "logs_hold_no_body_no_token_no_query_and_no_path" {
  assert {
    condition     = alltrue([for settings in concat([aws_api_gateway_method_settings.polls], values(aws_api_gateway_method_settings.posts)) : !settings.settings[0].data_trace_enabled && settings.settings[0].logging_level == "OFF"])
    error_message = "Execution logs and data trace quote bodies: keep them off."
  }

  assert {
    condition     = !can(regex("context\\.(path|requestOverride|authorizer\\.claims|customDomain|extendedRequestId|protocol|querystring)|input|header|body", one(aws_api_gateway_stage.this.access_log_settings).format))
    error_message = "The access log names resources, never what is in a path, query, header or body."
  }

  assert {
    condition     = contains(values(jsondecode(one(aws_api_gateway_stage.this.access_log_settings).format)), "$context.resourcePath")
    error_message = "The access log is JSON and names the resource."
  }

  assert {
    condition     = !anytrue(concat([one(aws_wafv2_web_acl.this.visibility_config).sampled_requests_enabled], [for rule in jsondecode(aws_wafv2_web_acl.this.rule_json) : rule.VisibilityConfig.SampledRequestsEnabled]))
    error_message = "Samples of requests show tokens: keep them off."
  }

  assert {
    condition = alltrue([
      for kind in ["single_header", "query_string", "uri_path"] :
      length(flatten([for field in aws_wafv2_web_acl_logging_configuration.this.redacted_fields : field[kind]])) == 1
    ])
    error_message = "The firewall's log must leave out token, query and path."
  }

  assert {
    condition     = alltrue([for group in [aws_cloudwatch_log_group.access, aws_cloudwatch_log_group.firewall] : group.kms_key_id == var.kms_key_arn && group.retention_in_days == 365])
    error_message = "Logs must be encrypted with the stage's key and end some day."
  }
}

run "posts_and_polls_have_separate_throttles" {
  assert {
    condition = { for settings in aws_api_gateway_method_settings.posts : settings.method_path => [settings.settings[0].throttling_rate_limit, settings.settings[0].throttling_burst_limit] } == {
      for operation in keys(var.request_queue_arns) :
      operation == "auth" ? "auth/POST" : "apartments/{apartment_id}/${operation}/POST" => [100, 200]
    }
    error_message = "Each POST of the contract has the limit of posts."
  }

  assert {
    condition = alltrue([
      aws_api_gateway_method_settings.polls.method_path == "*/*",
      aws_api_gateway_method_settings.polls.settings[0].throttling_rate_limit == 500,
      aws_api_gateway_method_settings.polls.settings[0].throttling_burst_limit == 1000,
    ])
    error_message = "Everything else has the limit of polls."
  }
}

run "the_firewall_counts_logins_by_address_under_every_stage" {
  assert {
    condition     = [for rule in slice(jsondecode(aws_wafv2_web_acl.this.rule_json), 0, 2) : [rule.Statement.RateBasedStatement.Limit, rule.Action]] == [[100, { Block = {} }], [10000, { Block = {} }]]
    error_message = "Guessing passwords must be blocked, and floods."
  }

  assert {
    condition     = alltrue([for rule in local.managed : rule.OverrideAction == { None = {} }])
    error_message = "The managed rules must do what they say, and not only count."
  }

  assert {
    condition     = toset([for rule in jsondecode(aws_wafv2_web_acl.this.rule_json) : rule.Name]) == toset(["logins", "requests", "AWSManagedRulesAmazonIpReputationList", "AWSManagedRulesKnownBadInputsRuleSet", "AWSManagedRulesCommonRuleSet"])
    error_message = "The managed rules must be there."
  }

  assert {
    condition     = aws_wafv2_web_acl_association.this.resource_arn == aws_api_gateway_stage.this.arn
    error_message = "The firewall must stand before the stage."
  }

  assert {
    condition = alltrue([
      for path, login in { "/v1/auth" = true, "/auth" = true, "/v1/auth/" = true, "/v1/auth/0f8f" = false, "/v1/apartments/auth/utils" = false } :
      login == can(regex(local.login_path, path))
    ])
    error_message = "The rule's expression must meet logins and nothing else."
  }
}

run "a_custom_domain_is_the_only_entry" {
  variables {
    domain = {
      name            = "api.example.org"
      certificate_arn = "arn:aws:acm:eu-central-1:123456789012:certificate/11111111-2222-3333-4444-555555555555"
      zone_id         = "Z0123456789"
    }
  }

  assert {
    condition = alltrue([
      output.invoke_url == "https://api.example.org",
      aws_api_gateway_rest_api.this.disable_execute_api_endpoint,
      aws_api_gateway_domain_name.this["own"].security_policy == "TLS_1_2",
      aws_route53_record.this["own"].name == "api.example.org",
    ])
    error_message = "An own domain must have TLS 1.2 and its record, and the address of AWS must be closed."
  }
}

run "the_domain_and_the_account_logging_are_optional" {
  command = plan

  variables {
    manage_account_logging = false
  }

  assert {
    condition     = length(aws_api_gateway_domain_name.this) == 0 && length(aws_api_gateway_account.this) == 0 && !aws_api_gateway_rest_api.this.disable_execute_api_endpoint
    error_message = "Nothing must be made that was not asked for."
  }
}

run "invalid_values_are_rejected" {
  command = plan

  variables {
    stage_name       = "v1/beta"
    throttles        = { posts = { rate = 0, burst = 1 }, polls = { rate = 1, burst = 1 } }
    requests_per_day = 0
    firewall         = { logins_per_address = 5 }
    # A domain that is no host name.
    domain = { name = "https://api.example.org", certificate_arn = "arn:aws:acm:eu-central-1:123456789012:certificate/1" }
  }

  expect_failures = [var.stage_name, var.throttles, var.requests_per_day, var.firewall, var.domain]
}

run "a_domain_without_a_certificate_is_rejected" {
  command = plan

  variables {
    domain = { name = "api.example.org", certificate_arn = "" }
  }

  expect_failures = [var.domain]
}
