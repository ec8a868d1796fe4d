# The AWS services that the private subnets reach without the internet.

resource "aws_security_group" "endpoints" {
  #checkov:skip=CKV2_AWS_5:The endpoints below have it.
  count = length(var.endpoint_services) > 0 ? 1 : 0

  name_prefix = "${var.name}-endpoints-"
  description = "Endpoints of AWS services for the Lambda function ${var.name}"
  vpc_id      = aws_vpc.this.id

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_vpc_security_group_ingress_rule" "endpoints" {
  count = length(aws_security_group.endpoints)

  security_group_id            = aws_security_group.endpoints[0].id
  description                  = "HTTPS from the function"
  referenced_security_group_id = aws_security_group.function.id
  ip_protocol                  = "tcp"
  from_port                    = 443
  to_port                      = 443
}

resource "aws_vpc_endpoint" "interface" {
  for_each = toset(var.endpoint_services)

  vpc_id              = aws_vpc.this.id
  service_name        = "com.amazonaws.${data.aws_region.here.region}.${each.key}"
  vpc_endpoint_type   = "Interface"
  private_dns_enabled = true
  subnet_ids          = [for zone in local.zones : aws_subnet.private[zone].id]
  security_group_ids  = [aws_security_group.endpoints[0].id]
  tags                = { Name = "${var.name}-${each.key}" }
}
