# The function's package, in a bucket of its own: an older one can be had again by its version.

module "bucket" {
  source = "../private-bucket"

  prefix        = "${substr(lower(var.name), 0, 24)}-packages-"
  kept_days     = 30
  kept_versions = 3
}

resource "aws_s3_object" "package" {
  bucket      = module.bucket.id
  key         = "function.zip"
  source      = var.package_path
  source_hash = filebase64sha256(var.package_path)
}
