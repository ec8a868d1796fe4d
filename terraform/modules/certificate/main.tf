# A certificate that ACM renews by itself for as long as the record that proves the domain stays where it is.

resource "aws_acm_certificate" "this" {
  domain_name       = var.domain_name
  validation_method = "DNS"

  lifecycle {
    create_before_destroy = true
  }
}

locals {
  # One domain, so one proof.
  proof = one(aws_acm_certificate.this.domain_validation_options)
}

resource "aws_route53_record" "proof" {
  zone_id         = var.hosted_zone_id
  name            = local.proof.resource_record_name
  type            = local.proof.resource_record_type
  records         = [local.proof.resource_record_value]
  ttl             = 300
  allow_overwrite = true
}

resource "aws_acm_certificate_validation" "this" {
  certificate_arn         = aws_acm_certificate.this.arn
  validation_record_fqdns = [aws_route53_record.proof.fqdn]
}
