variable "prefix" {
  description = "Start of every name."
  type        = string
}

variable "queues" {
  description = "Request queues by operation: timeout of the function that reads it (seconds), how long a request is kept (seconds), whether a request that failed too often goes to a dead-letter queue."
  type = map(object({
    function_timeout_seconds = number
    retention_seconds        = number
    dead_letters             = bool
  }))

  validation {
    condition     = alltrue([for queue in values(var.queues) : queue.retention_seconds >= 60 && queue.retention_seconds <= 1209600])
    error_message = "Set retention_seconds of each queue to 60 (a minute) up to 1209600 (14 days), as SQS allows."
  }

  validation {
    condition     = alltrue([for queue in values(var.queues) : queue.function_timeout_seconds >= 1 && queue.function_timeout_seconds <= 900])
    error_message = "Set function_timeout_seconds of each queue to 1 up to 900, as Lambda allows."
  }

  validation {
    condition     = alltrue([for name, queue in var.queues : name != "auth" || !queue.dead_letters])
    error_message = "Leave dead_letters of auth false: its requests hold passwords, which must not rest in a dead-letter queue."
  }

  validation {
    condition = alltrue([
      for queue in values(var.queues) :
      (var.max_receive_count - 1) * var.visibility_timeouts * queue.function_timeout_seconds + queue.function_timeout_seconds < queue.retention_seconds
    ])
    error_message = "Raise retention_seconds or lower the function's timeout: a request must still be there for its last receive, at (max_receive_count - 1) x visibility_timeouts x timeout, when its user is told that it failed."
  }
}

variable "visibility_timeouts" {
  description = "How many function timeouts (count) a request stays hidden once it was received."
  type        = number
  default     = 6

  validation {
    condition     = var.visibility_timeouts >= 6
    error_message = "Set visibility_timeouts to 6 or more: with less, a request that Lambda still retries internally is handed out twice."
  }
}

variable "max_receive_count" {
  description = "How often (count) a request is received before it goes to its dead-letter queue."
  type        = number
  default     = 3

  validation {
    condition     = var.max_receive_count >= 1 && var.max_receive_count <= 1000 && floor(var.max_receive_count) == var.max_receive_count
    error_message = "Set max_receive_count to a whole number from 1 to 1000."
  }
}

variable "dead_letter_retention_seconds" {
  description = "How long dead letters are kept, in seconds."
  type        = number
  default     = 1209600

  validation {
    condition     = var.dead_letter_retention_seconds <= 1209600 && alltrue([for queue in values(var.queues) : !queue.dead_letters || var.dead_letter_retention_seconds > queue.retention_seconds])
    error_message = "Set dead_letter_retention_seconds above the retention of the request queues, up to 1209600 (14 days): a dead letter's age counts from when it was first sent."
  }
}

variable "gateway_role_arn" {
  description = "ARN of the role in which API Gateway sends requests; nobody else may send, since it vouches for who asks."
  type        = string
}

variable "consumer_role_arns" {
  description = "ARN of the role of the function that reads each request queue, by operation; nobody else may read requests."
  type        = map(string)

  validation {
    condition     = alltrue([for operation in keys(var.queues) : contains(keys(var.consumer_role_arns), operation)])
    error_message = "Name the role that reads the queue in consumer_role_arns for every one of queues."
  }
}
