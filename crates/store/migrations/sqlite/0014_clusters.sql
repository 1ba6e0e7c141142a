-- What a cluster's document says becomes what of its access can be shown; the rest is encrypted beside it.
ALTER TABLE clusters ADD COLUMN credentials TEXT;                   -- the kubeconfig that was given, encrypted
ALTER TABLE clusters ADD COLUMN version BIGINT NOT NULL DEFAULT 1;
ALTER TABLE clusters ADD COLUMN created_at BIGINT NOT NULL DEFAULT 0;
UPDATE clusters SET document = json_object(
    'kind', 'file',
    'file', json_extract(document, '$.kubeconfig'),
    'context', json_extract(document, '$.context')
);
