-- a comment; with [brackets] and "quotes"
select 'back\slash; ${not} @a@ variable',
	'é'::text[]