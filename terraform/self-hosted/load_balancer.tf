# The way in: TLS ends here, and what comes over plain HTTP is sent there.

resource "aws_security_group" "load_balancer" {
  name        = "${var.name}-load-balancer"
  description = "Callers of the gateway"
  vpc_id      = local.network.vpc_id
  tags        = { Name = "${var.name}-load-balancer" }
}

resource "aws_vpc_security_group_ingress_rule" "https" {
  for_each = toset(var.allowed_cidrs)

  security_group_id = aws_security_group.load_balancer.id
  description       = "HTTPS from callers"
  cidr_ipv4         = each.key
  ip_protocol       = "tcp"
  from_port         = 443
  to_port           = 443
}

resource "aws_vpc_security_group_ingress_rule" "http" {
  #checkov:skip=CKV_AWS_260:Nothing is served on port 80 but the way to port 443.
  for_each = toset(var.allowed_cidrs)

  security_group_id = aws_security_group.load_balancer.id
  description       = "HTTP from callers, who are sent to HTTPS"
  cidr_ipv4         = each.key
  ip_protocol       = "tcp"
  from_port         = 80
  to_port           = 80
}

resource "aws_vpc_security_group_egress_rule" "to_gateway" {
  security_group_id            = aws_security_group.load_balancer.id
  description                  = "The gateway alone"
  referenced_security_group_id = aws_security_group.gateway.id
  ip_protocol                  = "tcp"
  from_port                    = local.port
  to_port                      = local.port
}

resource "aws_lb" "this" {
  #checkov:skip=CKV_AWS_150:`deletion_protection` is for whoever wants it; off, one command takes everything down again.
  #checkov:skip=CKV_AWS_91:`access_logs_bucket` is for whoever wants them; the gateway has an audit log of its own.
  #checkov:skip=CKV2_AWS_28:`web_acl_arn` is for whoever wants a firewall; it costs by the request.
  #checkov:skip=CKV2_AWS_76:`web_acl_arn` is for whoever wants a firewall; nothing here runs on Java.
  name                       = var.name
  load_balancer_type         = "application"
  internal                   = var.internal
  security_groups            = [aws_security_group.load_balancer.id]
  subnets                    = var.internal ? local.network.private_subnet_ids : local.network.public_subnet_ids
  idle_timeout               = var.idle_timeout_seconds
  drop_invalid_header_fields = true
  enable_deletion_protection = var.deletion_protection

  dynamic "access_logs" {
    for_each = var.access_logs_bucket[*]

    content {
      bucket  = access_logs.value
      prefix  = var.name
      enabled = true
    }
  }
}

resource "aws_wafv2_web_acl_association" "this" {
  count = var.web_acl_arn == null ? 0 : 1

  resource_arn = aws_lb.this.arn
  web_acl_arn  = var.web_acl_arn
}

resource "aws_lb_target_group" "gateway" {
  #checkov:skip=CKV_AWS_378:TLS ends at the load balancer; between it and the tasks security groups let nobody else in.
  name                          = var.name
  vpc_id                        = local.network.vpc_id
  target_type                   = "ip"
  protocol                      = "HTTP"
  port                          = local.port
  deregistration_delay          = var.drain_seconds
  load_balancing_algorithm_type = "least_outstanding_requests"

  # Ready once every target was asked for its lists, whatever came of it, and no more once the process is told to end.
  health_check {
    path                = "/readyz"
    matcher             = "200"
    interval            = 10
    timeout             = 5
    healthy_threshold   = 2
    unhealthy_threshold = 3
  }

  stickiness {
    type            = "lb_cookie"
    enabled         = var.sticky_seconds > 0
    cookie_duration = var.sticky_seconds > 0 ? var.sticky_seconds : null
  }
}

resource "aws_lb_listener" "https" {
  load_balancer_arn = aws_lb.this.arn
  port              = 443
  protocol          = "HTTPS"
  ssl_policy        = "ELBSecurityPolicy-TLS13-1-2-2021-06"
  certificate_arn   = local.certificate_arn

  # Which servers there are and how they are (/readyz) is for the load balancer's own checks, which do not pass here.
  default_action {
    type = "fixed-response"

    fixed_response {
      status_code  = "404"
      content_type = "text/plain"
    }
  }
}

resource "aws_lb_listener_rule" "gateway" {
  listener_arn = aws_lb_listener.https.arn
  priority     = 1

  condition {
    path_pattern {
      values = ["/mcp", "/mcp/*", "/.well-known/*", "/login/*"]
    }
  }

  action {
    type             = "forward"
    target_group_arn = aws_lb_target_group.gateway.arn
  }
}

resource "aws_lb_listener" "http" {
  load_balancer_arn = aws_lb.this.arn
  port              = 80
  protocol          = "HTTP"

  default_action {
    type = "redirect"

    redirect {
      protocol    = "HTTPS"
      port        = "443"
      status_code = "HTTP_301"
    }
  }
}

module "certificate" {
  source = "../modules/certificate"
  count  = var.certificate_arn == null ? 1 : 0

  domain_name    = var.domain_name
  hosted_zone_id = var.hosted_zone_id
}

resource "aws_route53_record" "gateway" {
  count = var.hosted_zone_id == null ? 0 : 1

  zone_id = var.hosted_zone_id
  name    = var.domain_name
  type    = "A"

  alias {
    name                   = aws_lb.this.dns_name
    zone_id                = aws_lb.this.zone_id
    evaluate_target_health = true
  }
}
