package insitu.client;

import java.util.concurrent.TimeUnit;

/** Waits between two looks, longer each time. */
final class Pause {
    private final long longest;
    private long next;

    Pause(long first, long longest) {
        this.next = first;
        this.longest = longest;
    }

    boolean isLongest() {
        return next >= longest;
    }

    void sleep() throws InterruptedException {
        TimeUnit.MILLISECONDS.sleep(next);
        next = Math.min(longest, next + next / 2);
    }
}
