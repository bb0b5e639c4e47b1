# A VPC without a way in or out: no internet gateway, no NAT, no route but the local one. What the
# functions need of AWS comes to them through the interface endpoints of endpoints.tf.

# No filter by state: a zone that is impaired for an hour must not move subnets.
data "aws_availability_zones" "all" {
  #checkov:skip=CKV_AWS_394:Names come sorted and the first ones are taken, so a zone that AWS adds changes nothing.

  # Local Zones and Wavelength Zones are listed too once an account has opted in to them.
  filter {
    name   = "opt-in-status"
    values = ["opt-in-not-required"]
  }
}

locals {
  zones = slice(data.aws_availability_zones.all.names, 0, var.zone_count)

  # Sixteenths of the range: 0 to 2 for functions, 8 to 10 for data, so that a third zone can be
  # added later without moving a subnet.
  function_ranges = { for index, zone in local.zones : zone => cidrsubnet(var.cidr_block, 4, index) }
  data_ranges     = { for index, zone in local.zones : zone => cidrsubnet(var.cidr_block, 4, 8 + index) }
}

resource "aws_vpc" "this" {
  cidr_block = var.cidr_block
  # Both are needed for the endpoints' private names.
  enable_dns_support   = true
  enable_dns_hostnames = true

  tags = { Name = var.prefix }
}

# Every VPC has a default security group that lets its members talk: nobody shall use it.
resource "aws_default_security_group" "unused" {
  vpc_id = aws_vpc.this.id

  tags = { Name = "${var.prefix}-unused" }
}

resource "aws_subnet" "functions" {
  for_each = local.function_ranges

  vpc_id                  = aws_vpc.this.id
  availability_zone       = each.key
  cidr_block              = each.value
  map_public_ip_on_launch = false

  tags = { Name = "${var.prefix}-functions-${each.key}" }
}

resource "aws_subnet" "data" {
  for_each = local.data_ranges

  vpc_id                  = aws_vpc.this.id
  availability_zone       = each.key
  cidr_block              = each.value
  map_public_ip_on_launch = false

  tags = { Name = "${var.prefix}-data-${each.key}" }
}

# Tables of their own without any route: a route that somebody adds to the VPC's main table does not
# open these subnets.
resource "aws_route_table" "functions" {
  vpc_id = aws_vpc.this.id

  tags = { Name = "${var.prefix}-functions" }
}

resource "aws_route_table" "data" {
  vpc_id = aws_vpc.this.id

  tags = { Name = "${var.prefix}-data" }
}

resource "aws_route_table_association" "functions" {
  for_each = aws_subnet.functions

  subnet_id      = each.value.id
  route_table_id = aws_route_table.functions.id
}

resource "aws_route_table_association" "data" {
  for_each = aws_subnet.data

  subnet_id      = each.value.id
  route_table_id = aws_route_table.data.id
}

# Has no rule that lets anything in, and only what a module adds by reference to let anything out:
# endpoints below, the database and the cache in their own modules.
resource "aws_security_group" "functions" {
  #checkov:skip=CKV2_AWS_5:The functions that carry it are made by another module.
  name        = "${var.prefix}-functions"
  description = "Functions of the billing service"
  vpc_id      = aws_vpc.this.id

  tags = { Name = "${var.prefix}-functions" }

  lifecycle {
    create_before_destroy = true
  }
}
