# The web application firewall before the stage. It answers in the contract's own shape (WAF_FILTERED).

locals {
  # With the stage before it or, under an own domain, without; an ending slash leads there as well.
  login_path = "^(/[a-z0-9_]+)?/auth/*$"

  # Rules of AWS, each with those of its parts that would reject what the contract allows; these only count.
  managed_rules = {
    AWSManagedRulesAmazonIpReputationList = []
    AWSManagedRulesKnownBadInputsRuleSet  = []
    # A payment of 1,000 bills has 40 KB (the rule rejects 8 KB), and a good password may look like a script.
    AWSManagedRulesCommonRuleSet = ["SizeRestrictions_BODY", "CrossSiteScripting_BODY"]
  }

  # Rules as WAF's own JSON. As blocks the provider expands every rule into each kind of statement at every
  # level, which takes three seconds of each plan and ten of each apply.
  managed = [
    for name, counted in local.managed_rules : {
      Name           = name
      Priority       = 10 + index(keys(local.managed_rules), name)
      OverrideAction = { None = {} }
      Statement = {
        ManagedRuleGroupStatement = {
          VendorName          = "AWS"
          Name                = name
          RuleActionOverrides = [for rule in counted : { Name = rule, ActionToUse = { Count = {} } }]
        }
      }
    }
  ]

  limits = [
    # Guessing passwords: counted by address, before anything else.
    {
      Name     = "logins"
      Priority = 0
      Action   = { Block = {} }
      Statement = {
        RateBasedStatement = {
          Limit               = var.firewall.logins_per_address
          EvaluationWindowSec = 300
          AggregateKeyType    = "IP"
          ScopeDownStatement  = { AndStatement = { Statements = local.is_login } }
        }
      }
    },
    {
      Name     = "requests"
      Priority = 1
      Action   = { Block = {} }
      Statement = {
        RateBasedStatement = {
          Limit               = var.firewall.requests_per_address
          EvaluationWindowSec = 300
          AggregateKeyType    = "IP"
        }
      }
    },
  ]

  is_login = [
    {
      ByteMatchStatement = {
        FieldToMatch         = { Method = {} }
        PositionalConstraint = "EXACTLY"
        SearchString         = base64encode("POST")
        TextTransformations  = [{ Priority = 0, Type = "NONE" }]
      }
    },
    {
      RegexMatchStatement = {
        FieldToMatch        = { UriPath = {} }
        RegexString         = local.login_path
        TextTransformations = [{ Priority = 0, Type = "URL_DECODE" }, { Priority = 1, Type = "LOWERCASE" }]
      }
    },
  ]

  rules = [
    for rule in concat(local.limits, local.managed) : merge(rule, {
      VisibilityConfig = {
        CloudWatchMetricsEnabled = true
        MetricName               = "${var.prefix}-${rule.Name}"
        # Samples would show tokens and queue names in the console.
        SampledRequestsEnabled = false
      }
    })
  ]
}

resource "aws_wafv2_web_acl" "this" {
  #checkov:skip=CKV_AWS_175:Its rules are in rule_json, which the scanner does not read; the tests of this module do.
  #checkov:skip=CKV_AWS_192:AWSManagedRulesKnownBadInputsRuleSet is among local.managed_rules, which the scanner does not read.

  name        = var.prefix
  description = "Before the API of ${var.prefix}"
  scope       = "REGIONAL"
  rule_json   = jsonencode(local.rules)

  default_action {
    allow {}
  }

  visibility_config {
    cloudwatch_metrics_enabled = true
    metric_name                = var.prefix
    sampled_requests_enabled   = false
  }
}

resource "aws_wafv2_web_acl_association" "this" {
  resource_arn = aws_api_gateway_stage.this.arn
  web_acl_arn  = aws_wafv2_web_acl.this.arn
}

# The name must start with aws-waf-logs-.
resource "aws_cloudwatch_log_group" "firewall" {
  name              = "aws-waf-logs-${var.prefix}"
  retention_in_days = var.log_retention_days
  kms_key_id        = var.kms_key_arn
}

resource "aws_wafv2_web_acl_logging_configuration" "this" {
  resource_arn            = aws_wafv2_web_acl.this.arn
  log_destination_configs = [aws_cloudwatch_log_group.firewall.arn]

  redacted_fields {
    single_header {
      name = "authorization"
    }
  }

  redacted_fields {
    query_string {}
  }

  redacted_fields {
    uri_path {}
  }

  # What passes is in the access log already.
  logging_filter {
    default_behavior = "DROP"

    filter {
      behavior    = "KEEP"
      requirement = "MEETS_ANY"

      condition {
        action_condition {
          action = "BLOCK"
        }
      }

      condition {
        action_condition {
          action = "COUNT"
        }
      }
    }
  }
}
