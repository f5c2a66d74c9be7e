package insitu.client;

import insitu.ErrorCode;
import insitu.InsituException;
import insitu.domain.Address;
import insitu.domain.Call;
import insitu.domain.Transaction;
import java.math.BigInteger;
import java.util.List;
import java.util.Map;

/** Sends transactions of the account to the template; it pays for the gas. */
final class Transactions {
    /** Looks whether the chain has what a transaction does. */
    interface Look {
        boolean isDone() throws InterruptedException;
    }

    private static final long PATIENCE = 600_000_000_000L;

    private final Provider provider;

    Transactions(Provider provider) {
        this.provider = provider;
    }

    /** Sends a call, and returns once the chain has what it does; the node's word for it is not enough. */
    void carryOut(Call call, Look look) throws InterruptedException {
        if (!provider.hasNode()) {
            String detail =
                    "no gateway sends this, and only a node that you name takes transactions: Insitu.at(…).node(…)";
            throw new InsituException(ErrorCode.RelayOff, detail);
        }
        provider.trust();
        Chain chain = provider.chain();
        if (chain.coin(provider.address()).signum() == 0) {
            throw new InsituException(ErrorCode.InsufficientFunds, provider.address() + " has no coin to pay for gas");
        }
        byte[] signed = transaction(call).signed(provider.account());
        String hash = Transaction.hash(signed);
        unlessAway(() -> {
            chain.send(signed);
            return true;
        });
        long began = System.nanoTime();
        for (Pause pause = new Pause(100, 2000); System.nanoTime() - began < PATIENCE; pause.sleep()) {
            if (unlessAway(look)) {
                return;
            }
            if (unlessAway(() -> Boolean.FALSE.equals(chain.outcome(hash)))) {
                String detail = "the transaction " + hash + " was refused by the contract";
                throw new InsituException(ErrorCode.TransactionFailed, detail);
            }
        }
        String detail = "the transaction " + hash + " is not in a block yet";
        throw new InsituException(ErrorCode.TransactionUnconfirmed, detail);
    }

    /** What was sent stays sent while a node does not answer. */
    private static boolean unlessAway(Look look) throws InterruptedException {
        try {
            return look.isDone();
        } catch (InsituException refusal) {
            if (!refusal.retry()) {
                throw refusal;
            }
            return false;
        }
    }

    /** Returns once every transaction of the account that the node knows is in a block, so that a crash hides none. */
    void awaitOwn() throws InterruptedException {
        long began = System.nanoTime();
        Pause pause = new Pause(100, 2000);
        while (count("pending").compareTo(count("latest")) > 0 && System.nanoTime() - began < PATIENCE) {
            pause.sleep();
        }
    }

    private BigInteger count(String block) throws InterruptedException {
        String account = provider.address().text();
        return provider.chain().number("eth_getTransactionCount", List.of(account, block));
    }

    private Transaction transaction(Call call) throws InterruptedException {
        Chain chain = provider.chain();
        Address to = chain.contracts().template();
        Map<String, String> asked = Map.of("from", provider.address().text(), "to", to.text(), "data", call.data());
        BigInteger gas = chain.number("eth_estimateGas", List.of(asked));
        BigInteger tip = chain.number("eth_maxPriorityFeePerGas", List.of());
        BigInteger price = chain.number("eth_gasPrice", List.of());
        return new Transaction(
                chain.contracts().chainId(),
                count("pending").longValueExact(),
                to,
                call.data(),
                BigInteger.ZERO,
                gas.multiply(BigInteger.valueOf(5)).shiftRight(2), // what others do first may change it
                price.shiftLeft(1).add(tip),
                tip,
                null);
    }
}
