"""`db.upgrade`: a volume of an older major version of PostgreSQL becomes one of the image's."""
