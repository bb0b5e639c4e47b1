# One user, who can read and write results and nothing else. It logs in with a token that a function
# signs with its role, so that there is no password to keep, leak or rotate. (Version 5 of the provider
# would write a password to the state: it knows no write-only argument here.)

locals {
  user = "${local.identifier}-functions"

  # What the functions send, and what redis-py sends when it connects.
  access = "on ~* -@all +get +set +ping +client|setinfo"

  # Redis groups must have a user named "default", whom clients without a name become; ours can do
  # nothing. Valkey groups need none, and there nobody is let in without a name.
  disabled_users = var.engine == "redis" ? { default = "${local.identifier}-default" } : {}
}

resource "aws_elasticache_user" "functions" {
  user_id = local.user
  # Logins by IAM ask for a name that is the id.
  user_name     = local.user
  engine        = var.engine
  access_string = local.access

  authentication_mode {
    type = "iam"
  }

  # How it logs in is settled when it is made; not everything that stands in for AWS tells it again.
  lifecycle {
    ignore_changes = [authentication_mode]
  }
}

resource "aws_elasticache_user" "disabled" {
  for_each = local.disabled_users

  user_id       = each.value
  user_name     = each.key
  engine        = var.engine
  access_string = "off -@all"

  authentication_mode {
    type = "no-password-required"
  }

  lifecycle {
    ignore_changes = [authentication_mode]
  }
}

resource "aws_elasticache_user_group" "this" {
  user_group_id = local.identifier
  engine        = var.engine
  user_ids      = concat([aws_elasticache_user.functions.user_id], [for user in aws_elasticache_user.disabled : user.user_id])
}
