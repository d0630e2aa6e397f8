"""moto's server with the public images that machines are started from, as a process."""

from tests import aws_services
from tests.aws_images import plant_debian

if __name__ == "__main__":
    plant_debian()
    aws_services.main()
