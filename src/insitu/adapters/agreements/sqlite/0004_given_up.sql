-- Finds the work of an execution that was given up forever, which is shown with the execution.

CREATE INDEX items_given_up ON items (execution_id) WHERE state = 'given up';
