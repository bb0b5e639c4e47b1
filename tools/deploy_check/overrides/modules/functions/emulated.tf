# The provider makes functions that are uploaded from a file one after the other and waits 5 s for
# each. From a bucket it makes them all at once: a minute and a half that shows nothing.

resource "aws_s3_bucket" "package" {
  bucket        = "${var.prefix}-package"
  force_destroy = true
}

resource "aws_s3_object" "package" {
  bucket = aws_s3_bucket.package.bucket
  key    = "deployment.zip"
  source = "${path.module}/deployment.zip"

  # Ministack keeps no tags of objects.
  override_provider {
    default_tags {
      tags = {}
    }
  }
}
