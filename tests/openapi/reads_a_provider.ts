// A page's code, written against the generated types: it has to compile, and is not run.
import type { components as Gateway, operations } from "./gateway";
import type { components as Metadata, paths } from "./metadata";

type Execution = Gateway["schemas"]["ExecutionView"];
type Problem = Metadata["schemas"]["Problem"];
type Searched = paths["/api/v1/metadata/assets/ddo/query"]["post"]["responses"][200]["content"]["application/json"];
type Refused = operations["showExecution"]["responses"]["default"]["content"]["application/problem+json"];

export function inWords(execution: Execution): string {
    const last = execution.history.at(-1);
    return `${execution.workflowExecutionId} is ${execution.phase} since ${last ? last.at : execution.createdAt}`;
}

export function charge(execution: Execution): bigint {
    return BigInt(execution.charge ?? "0");
}

export function nextStep(refused: Refused): Problem["nextStep"] {
    return refused.nextStep;
}

export async function search(url: string, text: string): Promise<Searched> {
    const request: Metadata["schemas"]["SearchRequest"] = { text, sort: "date", descending: true, page: 1, offset: 20 };
    const answer = await fetch(`${url}/api/v1/metadata/assets/ddo/query`, { method: "POST", body: JSON.stringify(request) });
    return (await answer.json()) as Searched;
}
