-- First rows for a try-out; running it again adds nothing.
INSERT INTO note (body)
SELECT 'Hello.' WHERE NOT EXISTS (SELECT FROM note WHERE body = 'Hello.');
