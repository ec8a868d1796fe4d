# What somebody should look at. Each says what is wrong and where to look.

locals {
  of_load_balancer = { LoadBalancer = aws_lb.this.arn_suffix }
  of_targets       = { LoadBalancer = aws_lb.this.arn_suffix, TargetGroup = aws_lb_target_group.gateway.arn_suffix }
  of_service       = { ClusterName = aws_ecs_cluster.this.name, ServiceName = "gateway" }

  alarms = {
    errors = {
      description = "The gateway answered with HTTP 5xx, more than ten times in five minutes: see its log."
      namespace   = "AWS/ApplicationELB", metric = "HTTPCode_Target_5XX_Count", dimensions = local.of_targets
      statistic   = "Sum", period = 300, periods = 1, comparison = "GreaterThanThreshold", threshold = 10
    }
    unanswered = {
      description = "The load balancer answered with HTTP 5xx in place of the gateway, more than ten times in five minutes: no replica was there, or one ended a connection."
      namespace   = "AWS/ApplicationELB", metric = "HTTPCode_ELB_5XX_Count", dimensions = local.of_load_balancer
      statistic   = "Sum", period = 300, periods = 1, comparison = "GreaterThanThreshold", threshold = 10
    }
    unhealthy = {
      description = "A replica does not say that it is ready: see its log."
      namespace   = "AWS/ApplicationELB", metric = "UnHealthyHostCount", dimensions = local.of_targets
      statistic   = "Maximum", period = 60, periods = 5, comparison = "GreaterThanThreshold", threshold = 0
    }
    replicas = {
      description = "Fewer replicas are ready than there should always be: see the events of the service."
      namespace   = "AWS/ApplicationELB", metric = "HealthyHostCount", dimensions = local.of_targets
      statistic   = "Minimum", period = 60, periods = 5, comparison = "LessThanThreshold", threshold = var.min_replicas
      missing     = "breaching"
    }
    latency = {
      description = "One of a hundred answers takes too long to begin: see on the dashboard which server is slow."
      namespace   = "AWS/ApplicationELB", metric = "TargetResponseTime", dimensions = local.of_targets
      extended    = "p99", period = 300, periods = 3, comparison = "GreaterThanThreshold", threshold = var.latency_alarm_seconds
    }
    cpu = {
      description = "Replicas use nearly all of their CPU: raise `max_replicas` or `cpu`."
      namespace   = "AWS/ECS", metric = "CPUUtilization", dimensions = local.of_service
      statistic   = "Average", period = 60, periods = 10, comparison = "GreaterThanThreshold", threshold = 90
    }
    memory = {
      description = "A replica uses nearly all of its memory: raise `memory`."
      namespace   = "AWS/ECS", metric = "MemoryUtilization", dimensions = local.of_service
      statistic   = "Maximum", period = 60, periods = 10, comparison = "GreaterThanThreshold", threshold = 85
    }
  }
}

resource "aws_cloudwatch_metric_alarm" "this" {
  for_each = { for name, alarm in local.alarms : name => alarm if local.runs }

  alarm_name          = "${var.name}-${each.key}"
  alarm_description   = each.value.description
  namespace           = each.value.namespace
  metric_name         = each.value.metric
  dimensions          = each.value.dimensions
  statistic           = try(each.value.statistic, null)
  extended_statistic  = try(each.value.extended, null)
  period              = each.value.period
  evaluation_periods  = each.value.periods
  comparison_operator = each.value.comparison
  threshold           = each.value.threshold
  # Nothing is reported while nobody calls.
  treat_missing_data = try(each.value.missing, "notBreaching")
  alarm_actions      = var.alarm_topic_arns
  ok_actions         = var.alarm_topic_arns
}
