mock_provider "aws" {
  source = "../../tests/mocks"
}

variables {
  prefix      = "bill-test"
  kms_key_arn = "arn:aws:kms:eu-central-1:123456789012:key/11111111-2222-3333-4444-555555555555"
}

run "a_third_zone_moves_no_subnet_of_the_first_two" {
  variables {
    zone_count = 3
  }

  assert {
    condition = { for zone, subnet in aws_subnet.functions : zone => subnet.cidr_block } == {
      eu-central-1a = "10.20.0.0/20"
      eu-central-1b = "10.20.16.0/20"
      eu-central-1c = "10.20.32.0/20"
    }
    error_message = "Functions must have a subnet in each zone, with a range that doesn't depend on how many there are."
  }

  assert {
    condition = { for zone, subnet in aws_subnet.data : zone => subnet.cidr_block } == {
      eu-central-1a = "10.20.128.0/20"
      eu-central-1b = "10.20.144.0/20"
      eu-central-1c = "10.20.160.0/20"
    }
    error_message = "Data must have a subnet in each zone, with a range that doesn't depend on how many there are."
  }
}

run "the_smallest_range_still_gives_a_subnet_to_every_zone" {
  command = plan

  variables {
    cidr_block = "192.168.7.0/24"
    zone_count = 3
  }

  assert {
    condition     = aws_subnet.data["eu-central-1c"].cidr_block == "192.168.7.160/28"
    error_message = "A /24 must be cut into /28 subnets."
  }
}

run "no_subnet_is_public" {
  assert {
    condition     = alltrue([for subnet in concat(values(aws_subnet.functions), values(aws_subnet.data)) : subnet.map_public_ip_on_launch == false])
    error_message = "Nothing in these subnets may get a public address."
  }

  assert {
    condition = alltrue([
      { for zone, association in aws_route_table_association.functions : zone => association.route_table_id } == { for zone, _ in aws_subnet.functions : zone => aws_route_table.functions.id },
      { for zone, association in aws_route_table_association.data : zone => association.route_table_id } == { for zone, _ in aws_subnet.data : zone => aws_route_table.data.id },
    ])
    error_message = "Every subnet must use the table of its kind, not the VPC's main one."
  }
}

run "nobody_is_let_in_or_out_by_address" {
  assert {
    condition = alltrue([
      aws_vpc_security_group_ingress_rule.endpoints_from_functions.referenced_security_group_id == aws_security_group.functions.id,
      aws_vpc_security_group_ingress_rule.endpoints_from_functions.cidr_ipv4 == null,
      aws_vpc_security_group_ingress_rule.endpoints_from_functions.from_port == 443,
      aws_vpc_security_group_ingress_rule.endpoints_from_functions.to_port == 443,
      aws_vpc_security_group_egress_rule.functions_to_endpoints.referenced_security_group_id == aws_security_group.endpoints.id,
      aws_vpc_security_group_egress_rule.functions_to_endpoints.cidr_ipv4 == null,
    ])
    error_message = "The functions' group must reach the endpoints' by HTTPS, and no address."
  }
}

run "functions_reach_queues_secrets_and_logins_by_private_names" {
  assert {
    condition = { for service, endpoint in aws_vpc_endpoint.this : service => endpoint.service_name } == {
      sqs            = "com.amazonaws.eu-central-1.sqs"
      secretsmanager = "com.amazonaws.eu-central-1.secretsmanager"
      cognito-idp    = "com.amazonaws.eu-central-1.cognito-idp"
    }
    error_message = "SQS, Secrets Manager and Cognito must each have an endpoint in this region."
  }

  # Without private names the SDK would try to reach the internet.
  assert {
    condition = alltrue([
      for endpoint in aws_vpc_endpoint.this :
      endpoint.private_dns_enabled && endpoint.vpc_endpoint_type == "Interface" && endpoint.security_group_ids == toset([aws_security_group.endpoints.id])
    ])
    error_message = "Endpoints must have private names and carry their own security group only."
  }
}

run "an_endpoint_serves_only_this_stage_and_this_account" {
  variables {
    endpoint_services = ["sqs", "secretsmanager", "cognito-idp", "kms", "logs", "xray"]
  }

  assert {
    condition = alltrue([
      local.endpoint_statements.sqs.OwnQueues.resources == ["arn:aws:sqs:eu-central-1:123456789012:bill-test-*"],
      local.endpoint_statements.kms.OwnKey.resources == [var.kms_key_arn],
      alltrue([for resource in local.endpoint_statements.secretsmanager.OwnSecrets.resources : can(regex(":secret:(bill-test/|rds!db-)", resource))]),
    ])
    error_message = "Endpoints must serve queues, key and secrets of this stage only, and the database owner's secret."
  }

  assert {
    condition = toset(flatten([
      for statements in values(local.endpoint_statements) : [for sid, statement in statements : sid if contains(statement.resources, "*")]
    ])) == toset(["ListOfQueues", "Logins", "Traces"])
    error_message = "Only what AWS can't restrict to a resource may be open to all of them."
  }

  assert {
    condition = alltrue([
      for statement in flatten(values(data.aws_iam_policy_document.endpoint)[*].statement) : (
        # Logins are unsigned.
        statement.sid == "Logins" ? length(statement.condition) == 0 : (
          one(statement.condition).variable == "aws:PrincipalAccount" && tolist(one(statement.condition).values) == tolist(["123456789012"])
        )
      )
    ])
    error_message = "Only logins may come without asking for a principal of this account."
  }

  assert {
    condition     = alltrue([for statement in flatten(values(data.aws_iam_policy_document.endpoint)[*].statement) : !contains(statement.actions, "*")])
    error_message = "No endpoint may pass every action."
  }

  assert {
    condition     = local.endpoint_statements.cognito-idp.Logins.actions == ["cognito-idp:InitiateAuth", "cognito-idp:RespondToAuthChallenge"]
    error_message = "What comes unsigned may only log in."
  }

  assert {
    condition     = alltrue([for service, endpoint in aws_vpc_endpoint.this : endpoint.policy == data.aws_iam_policy_document.endpoint[service].json])
    error_message = "An endpoint without a policy serves everybody's account."
  }
}

run "connections_are_recorded_encrypted_for_a_year" {
  assert {
    condition = alltrue([
      aws_flow_log.this["vpc"].traffic_type == "ALL",
      aws_flow_log.this["vpc"].vpc_id == aws_vpc.this.id,
      aws_cloudwatch_log_group.flow["vpc"].retention_in_days == 365,
      aws_cloudwatch_log_group.flow["vpc"].kms_key_id == var.kms_key_arn,
    ])
    error_message = "Flow logs must cover the whole VPC, accepted and rejected, and be kept for a year under the stage's key."
  }

  assert {
    condition = alltrue([
      one(data.aws_iam_policy_document.flow_write["vpc"].statement).resources == toset(["${aws_cloudwatch_log_group.flow["vpc"].arn}:*"]),
      one(one(data.aws_iam_policy_document.flow_assume.statement).condition).variable == "aws:SourceAccount",
    ])
    error_message = "The role of flow logs may write to its own log group only, and only for this account."
  }
}

run "endpoints_and_flow_logs_can_be_left_out" {
  command = plan

  variables {
    endpoint_services = []
    flow_logs_enabled = false
  }

  assert {
    condition     = length(aws_flow_log.this) + length(aws_iam_role.flow) + length(aws_iam_role_policy.flow) + length(aws_cloudwatch_log_group.flow) + length(aws_vpc_endpoint.this) == 0
    error_message = "There must be no endpoint, no flow log, and no role and log group for it."
  }
}

run "invalid_values_are_rejected" {
  command = plan

  variables {
    cidr_block        = "10.20.0.0/25"
    zone_count        = 1
    endpoint_services = ["sqs", "ec2"] # One without a policy of ours.
  }

  expect_failures = [var.cidr_block, var.zone_count, var.endpoint_services]
}

run "a_range_that_is_no_range_is_rejected" {
  command = plan

  variables {
    cidr_block = "10.20.0.0"
  }

  expect_failures = [var.cidr_block]
}

run "a_public_range_is_rejected" {
  command = plan

  variables {
    cidr_block = "52.20.0.0/16"
  }

  expect_failures = [var.cidr_block]
}
