# Ministack makes interface endpoints, but keeps neither their security groups nor their policy nor
# that their names are private, so each plan would set them again.

resource "aws_vpc_endpoint" "this" {
  lifecycle {
    ignore_changes = [policy, private_dns_enabled, security_group_ids]
  }
}
