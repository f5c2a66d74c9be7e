package insitu;

/**
 * One thing that is wrong in a document.
 *
 * @param pointer where it is, a JSON pointer (RFC 6901)
 * @param code the rule that is broken
 * @param message a sentence about it
 */
public record Violation(String pointer, String code, String message) {}
