# terraform apply -var-file=environments/dev.tfvars, after `terraform init -backend-config=environments/dev.s3.tfbackend`

name               = "tools-dev"
stage              = "dev"
zone_count         = 1
log_retention_days = 7
throttling         = { rate = 5, burst = 10 }
tags               = { environment = "dev" }
