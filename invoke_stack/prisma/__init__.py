"""Prisma as a migration tool: its package, its calls, where they run, what its answers mean."""
