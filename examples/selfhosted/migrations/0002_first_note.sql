INSERT INTO note (body) VALUES ('It''s running.');
