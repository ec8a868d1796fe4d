# Each environment has a state of its own. Once backend.tf.s3.example is copied to backend.tf:
#   terraform init -reconfigure -backend-config=environments/dev.s3.tfbackend
#   terraform apply -var-file=environments/dev.tfvars

name               = "tools-dev"
stage              = "dev"
zone_count         = 1
log_retention_days = 7
throttling         = { rate = 5, burst = 10 }
tags               = { environment = "dev" }
