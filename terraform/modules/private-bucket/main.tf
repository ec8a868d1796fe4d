# A bucket for what Terraform puts at AWS to be built or run there. Private, versioned, and gone with everything in it when it is
# destroyed.

resource "aws_s3_bucket" "this" {
  #checkov:skip=CKV_AWS_18:Only Terraform writes here and only one service of AWS reads; CloudTrail has both if somebody wants to know.
  #checkov:skip=CKV_AWS_144:What is in it is a copy, or is built from source again; a second copy in another region saves nothing.
  #checkov:skip=CKV_AWS_145:Encrypted with S3's own key; a key of KMS would cost money and add no reader to keep out.
  #checkov:skip=CKV2_AWS_62:Nobody waits for events of this bucket: what is done with its objects is started by Terraform.
  bucket_prefix = var.prefix
  force_destroy = true
}

resource "aws_s3_bucket_versioning" "this" {
  bucket = aws_s3_bucket.this.id

  versioning_configuration {
    status = "Enabled"
  }
}

resource "aws_s3_bucket_server_side_encryption_configuration" "this" {
  bucket = aws_s3_bucket.this.id

  rule {
    apply_server_side_encryption_by_default {
      sse_algorithm = "AES256"
    }
  }
}

resource "aws_s3_bucket_public_access_block" "this" {
  bucket = aws_s3_bucket.this.id

  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

resource "aws_s3_bucket_lifecycle_configuration" "this" {
  # Versions can only expire where there are some.
  depends_on = [aws_s3_bucket_versioning.this]
  bucket     = aws_s3_bucket.this.id

  rule {
    id     = "old-versions"
    status = "Enabled"

    filter {}

    noncurrent_version_expiration {
      noncurrent_days           = var.kept_days
      newer_noncurrent_versions = var.kept_versions
    }

    abort_incomplete_multipart_upload {
      days_after_initiation = 1
    }
  }
}

resource "aws_s3_bucket_policy" "this" {
  # One change of who may read a bucket at a time, or S3 refuses the other.
  depends_on = [aws_s3_bucket_public_access_block.this]
  bucket     = aws_s3_bucket.this.id

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "OnlyEncryptedConnections"
      Effect    = "Deny"
      Principal = "*"
      Action    = "s3:*"
      Resource  = [aws_s3_bucket.this.arn, "${aws_s3_bucket.this.arn}/*"]
      Condition = { Bool = { "aws:SecureTransport" = "false" } }
    }]
  })
}
