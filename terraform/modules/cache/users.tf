# One user, who can read and write results and nothing else. By default it logs in with a token that a
# function signs with its role, so that there is no password to keep, leak or rotate. A password is
# possible, but provider 5 writes it to the state: it knows no write-only argument here.

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
    type      = var.password == null ? "iam" : "password"
    passwords = var.password == null ? null : [var.password]
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
}

resource "aws_elasticache_user_group" "this" {
  user_group_id = local.identifier
  engine        = var.engine
  user_ids      = concat([aws_elasticache_user.functions.user_id], [for user in aws_elasticache_user.disabled : user.user_id])
}
