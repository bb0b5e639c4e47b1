mock_provider "aws" {
  source = "../../tests/mocks"
}

variables {
  prefix      = "bill-test"
  kms_key_arn = "arn:aws:kms:eu-central-1:123456789012:key/11111111-2222-3333-4444-555555555555"
}

run "two_zones_have_a_subnet_each_for_functions_and_for_data" {
  assert {
    condition     = length(output.function_subnet_ids) == 2 && length(output.data_subnet_ids) == 2
    error_message = "Each of the two zones must have one subnet of either kind."
  }

  assert {
    condition     = toset(keys(aws_subnet.data)) == toset(["eu-central-1a", "eu-central-1b"])
    error_message = "Data must be spread over two zones."
  }

  assert {
    condition     = length(distinct(concat(values(local.function_ranges), values(local.data_ranges)))) == 4
    error_message = "No two subnets may share a range."
  }
}

run "a_third_zone_moves_no_subnet_of_the_first_two" {
  variables {
    zone_count = 3
  }

  assert {
    condition     = length(output.function_subnet_ids) == 3 && length(output.data_subnet_ids) == 3
    error_message = "Each of the three zones must have one subnet of either kind."
  }

  assert {
    condition = (
      aws_subnet.functions["eu-central-1a"].cidr_block == "10.20.0.0/20"
      && aws_subnet.functions["eu-central-1b"].cidr_block == "10.20.16.0/20"
      && aws_subnet.data["eu-central-1a"].cidr_block == "10.20.128.0/20"
      && aws_subnet.data["eu-central-1b"].cidr_block == "10.20.144.0/20"
    )
    error_message = "The ranges of the first two zones must be what they are with two zones."
  }
}

run "the_smallest_range_still_gives_a_subnet_to_every_zone" {
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
    condition     = alltrue([for subnet in merge(aws_subnet.functions, aws_subnet.data) : subnet.map_public_ip_on_launch == false])
    error_message = "Nothing in these subnets may get a public address."
  }

  assert {
    condition = alltrue([
      for association in aws_route_table_association.functions : association.route_table_id == aws_route_table.functions.id
    ])
    error_message = "Subnets of functions must use their own table, not the VPC's main one."
  }

  assert {
    condition = alltrue([
      for association in aws_route_table_association.data : association.route_table_id == aws_route_table.data.id
    ])
    error_message = "Subnets of data must use their own table, not the VPC's main one."
  }

  assert {
    condition     = length(aws_route_table_association.data) == length(aws_subnet.data) && length(aws_route_table_association.functions) == length(aws_subnet.functions)
    error_message = "No subnet may be left to the VPC's main table."
  }
}

run "nobody_is_let_in_or_out_by_address" {
  assert {
    condition = (
      aws_vpc_security_group_ingress_rule.endpoints_from_functions.referenced_security_group_id == aws_security_group.functions.id
      && aws_vpc_security_group_ingress_rule.endpoints_from_functions.cidr_ipv4 == null
      && aws_vpc_security_group_ingress_rule.endpoints_from_functions.from_port == 443
      && aws_vpc_security_group_ingress_rule.endpoints_from_functions.to_port == 443
    )
    error_message = "Endpoints must take HTTPS from the functions' group and from no address."
  }

  assert {
    condition = (
      aws_vpc_security_group_egress_rule.functions_to_endpoints.referenced_security_group_id == aws_security_group.endpoints.id
      && aws_vpc_security_group_egress_rule.functions_to_endpoints.cidr_ipv4 == null
    )
    error_message = "Functions must reach the endpoints' group and no address."
  }
}

run "functions_reach_queues_secrets_and_logins_by_private_names" {
  assert {
    condition     = toset(keys(aws_vpc_endpoint.this)) == toset(["sqs", "secretsmanager", "cognito-idp"])
    error_message = "SQS, Secrets Manager and Cognito must each have an endpoint."
  }

  assert {
    condition     = alltrue([for service, endpoint in aws_vpc_endpoint.this : endpoint.service_name == "com.amazonaws.eu-central-1.${service}"])
    error_message = "An endpoint must belong to its service in this region."
  }

  assert {
    condition     = alltrue([for endpoint in aws_vpc_endpoint.this : endpoint.private_dns_enabled && endpoint.vpc_endpoint_type == "Interface"])
    error_message = "Without private names the SDK would try to reach the internet."
  }

  assert {
    condition     = alltrue([for endpoint in aws_vpc_endpoint.this : endpoint.security_group_ids == toset([aws_security_group.endpoints.id])])
    error_message = "Endpoints must carry their own security group only."
  }
}

run "an_endpoint_serves_only_this_stage_and_this_account" {
  variables {
    endpoint_services = ["sqs", "secretsmanager", "cognito-idp", "kms", "logs", "xray"]
  }

  assert {
    condition     = local.endpoint_statements.sqs.OwnQueues.resources == ["arn:aws:sqs:eu-central-1:123456789012:bill-test-*"]
    error_message = "The endpoint of SQS must serve queues of this stage only."
  }

  assert {
    condition     = alltrue([for resource in local.endpoint_statements.secretsmanager.OwnSecrets.resources : can(regex(":secret:(bill-test/|rds!db-)", resource))])
    error_message = "The endpoint of Secrets Manager must serve this stage's secrets and the database owner's only."
  }

  assert {
    condition     = local.endpoint_statements.kms.OwnKey.resources == [var.kms_key_arn]
    error_message = "The endpoint of KMS must serve this stage's key only."
  }

  assert {
    condition = toset(flatten([
      for statements in values(local.endpoint_statements) : [for sid, statement in statements : sid if contains(statement.resources, "*")]
    ])) == toset(["ListOfQueues", "Logins", "Traces"])
    error_message = "Only what AWS can't restrict to a resource may be open to all of them."
  }

  assert {
    condition = toset(flatten([
      for statements in values(local.endpoint_statements) : [for sid, statement in statements : sid if statement.anonymous]
    ])) == toset(["Logins"])
    error_message = "Only logins, which are unsigned, may come without asking for our account."
  }

  assert {
    condition = alltrue(flatten([
      for service, document in data.aws_iam_policy_document.endpoint : [
        for statement in document.statement : statement.sid == "Logins" ? true : (
          one(statement.condition).variable == "aws:PrincipalAccount" && tolist(one(statement.condition).values) == tolist(["123456789012"])
        )
      ]
    ]))
    error_message = "Every other statement must ask for a principal of this account."
  }

  assert {
    condition = alltrue(flatten([
      for service, document in data.aws_iam_policy_document.endpoint : [
        for statement in document.statement : !contains(statement.actions, "*")
      ]
    ]))
    error_message = "No endpoint may pass every action."
  }
}

run "connections_are_recorded_encrypted_for_a_year" {
  assert {
    condition     = aws_flow_log.this["vpc"].traffic_type == "ALL" && aws_flow_log.this["vpc"].vpc_id == aws_vpc.this.id
    error_message = "Flow logs must cover the whole VPC, accepted and rejected."
  }

  assert {
    condition     = aws_cloudwatch_log_group.flow["vpc"].retention_in_days == 365 && aws_cloudwatch_log_group.flow["vpc"].kms_key_id == var.kms_key_arn
    error_message = "Flow logs must be kept for a year, under the stage's key."
  }

  assert {
    condition     = one(data.aws_iam_policy_document.flow_write["vpc"].statement).resources == toset(["${aws_cloudwatch_log_group.flow["vpc"].arn}:*"])
    error_message = "The role of flow logs may write to its own log group only."
  }

  assert {
    condition     = one(one(data.aws_iam_policy_document.flow_assume.statement).condition).variable == "aws:SourceAccount"
    error_message = "Flow logs of another account must not be able to use the role."
  }
}

run "disabled_flow_logs_create_nothing" {
  variables {
    flow_logs_enabled = false
  }

  assert {
    condition     = length(aws_flow_log.this) + length(aws_iam_role.flow) + length(aws_iam_role_policy.flow) + length(aws_cloudwatch_log_group.flow) == 0
    error_message = "Without flow logs there must be no role and no log group for them."
  }
}

run "endpoints_can_be_left_out" {
  variables {
    endpoint_services = []
  }

  assert {
    condition     = length(output.endpoint_ids) == 0
    error_message = "An empty set must make no endpoint."
  }
}

run "invalid_values_are_rejected" {
  command = plan

  variables {
    # A range that is too small.
    cidr_block = "10.20.0.0/25"
    # A single zone.
    zone_count = 1
    # An endpoint without a policy of ours.
    endpoint_services = ["sqs", "ec2"]
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
