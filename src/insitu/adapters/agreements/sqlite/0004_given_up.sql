-- What an execution has left undone for ever is told with the execution.

CREATE INDEX items_given_up ON items (execution_id) WHERE state = 'given up';
