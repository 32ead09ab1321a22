"""The compose files, brought up by docker-compose: `make compose` all of them on real images."""
