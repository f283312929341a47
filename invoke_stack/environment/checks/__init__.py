"""What is wrong with the env files of a project: `env.check`."""
