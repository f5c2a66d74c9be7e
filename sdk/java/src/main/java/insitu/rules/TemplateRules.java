package insitu.rules;

import insitu.ErrorCode;
import insitu.domain.Address;
import insitu.domain.AgreementTemplate;
import insitu.domain.Condition;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** Rules of a {@code serviceAgreementTemplate}: it says what the contracts do, and names no other code. */
final class TemplateRules {
    private static final AgreementTemplate EXPECTED = AgreementTemplate.blank();
    private static final List<AgreementTemplate.Handler> HANDLERS = handlers();

    private TemplateRules() {}

    private static List<AgreementTemplate.Handler> handlers() {
        List<AgreementTemplate.Event> events = new ArrayList<>(EXPECTED.events());
        EXPECTED.conditions().forEach(condition -> events.addAll(condition.events()));
        return events.stream().map(AgreementTemplate.Event::handler).toList();
    }

    /**
     * Checks the template of a service.
     *
     * @param templateId of the service
     * @param checker stands at the template
     */
    static void check(@Nullable String templateId, @Nullable AgreementTemplate template, Checker checker) {
        if (template == null) {
            checker.report("Required", "a compute service needs a serviceAgreementTemplate");
            return;
        }
        requireSame(template.contractName(), EXPECTED.contractName(), checker.at("contractName"));
        boolean hasChain = template.chainId() != null && template.chainId() > 0;
        checker.at("chainId").require(hasChain, "Required", "the id of the contract's chain is needed");
        Long operator = template.fulfillmentOperator();
        checker.at("fulfillmentOperator")
                .require(operator == null || operator == 0, "WrongValue", "0: there is one terminal condition");
        Address contract = ComputeRules.checkAddress(template.contractAddress(), checker.at("contractAddress"));
        boolean isSame = contract == null || contract.text().equalsIgnoreCase(templateId);
        checker.at("contractAddress").require(isSame, "WrongValue", "templateId and contractAddress differ");
        checkEvents(template.events(), EXPECTED.events(), checker.at("events"));
        checkOrder(template, checker);
        Checker at = checker.at("conditions");
        boolean areAll = template.conditions().size() == Condition.ALL.size();
        if (at.require(areAll, "WrongValue", "the conditions are lockReward, execCompute, escrowReward")) {
            for (int position = 0; position < Condition.ALL.size(); position++) {
                checkCondition(template.conditions().get(position), position, contract, at.at(position));
            }
        }
    }

    private static void requireSame(@Nullable Object stated, @Nullable Object expected, Checker checker) {
        checker.require(Objects.equals(stated, expected), "WrongValue", expected + " is needed");
    }

    private static void checkOrder(AgreementTemplate template, Checker checker) {
        List<String> order = template.fulfillmentOrder().stream()
                .map(TemplateRules::conditionOf)
                .toList();
        checker.at("fulfillmentOrder")
                .require(
                        order.equals(Condition.ALL.stream().map(Condition::name).toList()),
                        "WrongValue",
                        "lockReward, execCompute, escrowReward in this order");
        checker.at("conditionDependency")
                .require(
                        dependencies(template.conditionDependency())
                                .equals(dependencies(EXPECTED.conditionDependency())),
                        "WrongValue",
                        "escrowReward depends on the other two, which depend on nothing");
    }

    private static String conditionOf(String step) {
        String suffix = ".fulfill";
        boolean isStep = step.endsWith(suffix);
        return AgreementTemplate.conditionName(isStep ? step.substring(0, step.length() - suffix.length()) : step);
    }

    private static Map<String, List<String>> dependencies(@Nullable Map<String, List<String>> stated) {
        Map<String, List<String>> found = new TreeMap<>();
        if (stated != null) {
            stated.forEach((name, others) -> found.put(
                    AgreementTemplate.conditionName(name),
                    others.stream()
                            .map(AgreementTemplate::conditionName)
                            .sorted()
                            .toList()));
        }
        return found;
    }

    private static void checkCondition(
            AgreementTemplate.Stated condition, int position, @Nullable Address contract, Checker checker) {
        AgreementTemplate.Stated expected = EXPECTED.conditions().get(position);
        Condition kind = Condition.ALL.get(position);
        checker.at("name").require(condition.is(kind.name()), "WrongValue", "the condition here is " + kind.name());
        requireSame(condition.contractName(), expected.contractName(), checker.at("contractName"));
        requireSame(condition.functionName(), expected.functionName(), checker.at("functionName"));
        checker.at("timelock").require(condition.timelock() == 0, ErrorCode.TimelockNotSupported, "timelock must be 0");
        checker.at("parameters")
                .require(
                        condition.parameters().equals(expected.parameters()),
                        "WrongValue",
                        "the parameters are not those of the contract's function");
        checkEvents(condition.events(), expected.events(), checker.at("events"));
        if (contract != null) {
            String stated = condition.conditionKey();
            requireSame(
                    stated == null ? null : stated.toLowerCase(Locale.ROOT),
                    kind.key(contract, contract),
                    checker.at("conditionKey"));
        }
    }

    private static void checkEvents(
            List<AgreementTemplate.Event> events, List<AgreementTemplate.Event> expected, Checker checker) {
        String wanted = expected.stream()
                .map(event -> event.name() + "," + event.actorType())
                .collect(Collectors.joining(" and "));
        checker.require(
                actors(events).equals(actors(expected)), "WrongValue", "the events and actors here are " + wanted);
        for (int position = 0; position < Math.min(events.size(), ComputeRules.MOST_ENTRIES); position++) {
            checker.at(position)
                    .at("handler")
                    .require(
                            HANDLERS.contains(events.get(position).handler()),
                            "HandlerNotAllowed",
                            "the handler is not on the whitelist");
        }
    }

    private static List<List<String>> actors(List<AgreementTemplate.Event> events) {
        return events.stream()
                .map(event -> Arrays.asList(event.name(), event.actorType()))
                .toList();
    }
}
