"""What the commands in the Makefile and the build of the site run."""
