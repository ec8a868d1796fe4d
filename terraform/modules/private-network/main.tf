# A VPC whose private subnets reach the AWS services that are named and, with `nat`, the internet. Nothing reaches them.

data "aws_region" "here" {}

data "aws_availability_zones" "here" {
  #checkov:skip=CKV_AWS_394:The first `zone_count` are taken, and a zone that is new comes last in the alphabet.
  state = "available"

  # Local zones have no Lambda.
  filter {
    name   = "opt-in-status"
    values = ["opt-in-not-required"]
  }
}

locals {
  zones = slice(data.aws_availability_zones.here.names, 0, var.zone_count)
}

resource "aws_vpc" "this" {
  #checkov:skip=CKV2_AWS_11:Flow logs cost more than the function; whoever needs them has them for the account.
  #checkov:skip=CKV2_AWS_12:The default security group is used by nothing; taking it over would be a surprise to who knows it.
  cidr_block           = var.cidr
  enable_dns_hostnames = true
  enable_dns_support   = true
  tags                 = { Name = var.name }
}

resource "aws_subnet" "private" {
  for_each = toset(local.zones)

  vpc_id            = aws_vpc.this.id
  availability_zone = each.key
  cidr_block        = cidrsubnet(var.cidr, 4, 8 + index(local.zones, each.key))
  tags              = { Name = "${var.name}-private-${each.key}" }
}

resource "aws_route_table" "private" {
  vpc_id = aws_vpc.this.id
  tags   = { Name = "${var.name}-private" }
}

resource "aws_route_table_association" "private" {
  for_each = aws_subnet.private

  subnet_id      = each.value.id
  route_table_id = aws_route_table.private.id
}

# What the function sends may go out by HTTPS, and nothing comes in.
resource "aws_security_group" "function" {
  #checkov:skip=CKV2_AWS_5:The function has it.
  name_prefix = "${var.name}-function-"
  description = "The Lambda function ${var.name}"
  vpc_id      = aws_vpc.this.id

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_vpc_security_group_egress_rule" "https" {
  security_group_id = aws_security_group.function.id
  description       = var.nat ? "HTTPS to targets, issuers and AWS" : "HTTPS to the endpoints of this VPC"
  cidr_ipv4         = var.nat ? "0.0.0.0/0" : var.cidr
  ip_protocol       = "tcp"
  from_port         = 443
  to_port           = 443
}
