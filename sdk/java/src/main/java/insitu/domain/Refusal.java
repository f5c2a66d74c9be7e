package insitu.domain;

/**
 * One reason why something may not run.
 *
 * @param code of the rule
 * @param did whose rule it is
 * @param message a sentence for people
 */
public record Refusal(String code, String did, String message) {}
