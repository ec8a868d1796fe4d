# The bucket that the function's packages are put in. Private and versioned: an older package can be had again by its version.

resource "aws_s3_bucket" "this" {
  #checkov:skip=CKV_AWS_18:Only Terraform writes here and only Lambda reads; CloudTrail has both if somebody wants to know.
  #checkov:skip=CKV_AWS_144:What is in it is built from source again; a second copy in another region saves nothing.
  #checkov:skip=CKV_AWS_145:Encrypted with S3's own key; a key of KMS would cost money and add no reader to keep out.
  #checkov:skip=CKV2_AWS_62:Nobody waits for events of this bucket.
  bucket_prefix = "${substr(lower(var.name), 0, 24)}-packages-"
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
    id     = "old-packages"
    status = "Enabled"

    filter {}

    noncurrent_version_expiration {
      noncurrent_days           = 30
      newer_noncurrent_versions = 3
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

resource "aws_s3_object" "package" {
  bucket      = aws_s3_bucket_versioning.this.bucket
  key         = "function.zip"
  source      = var.package_path
  source_hash = filebase64sha256(var.package_path)
}
