"""Migrations as plain SQL files in order, with a journal table: the small tool beside Prisma."""
