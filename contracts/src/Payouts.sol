// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @notice The payments that a call has to make, kept in memory until every storage write is done.
struct Payouts {
    /// The account that gets the i-th amount.
    address[] receivers;
    /// Base units of the token.
    uint256[] amounts;
    /// The number of payments in the list.
    uint256 length;
}

using PayoutList for Payouts global;

/// @notice Adds up payments, so that a batch makes one transfer per receiver.
library PayoutList {
    /// @dev Only this many receivers are searched, so that the cost of a long list stays linear.
    uint256 private constant SEARCHED = 8;

    /// @notice An empty list.
    /// @param capacity the most payments that may be added
    /// @return the list
    function create(uint256 capacity) internal pure returns (Payouts memory) {
        return Payouts({receivers: new address[](capacity), amounts: new uint256[](capacity), length: 0});
    }

    /// @notice Adds a payment.
    /// @param payouts the list
    /// @param receiver the account that gets it
    /// @param amount base units of the token; nothing happens for 0
    function add(Payouts memory payouts, address receiver, uint256 amount) internal pure {
        if (amount == 0) return;
        uint256 length = payouts.length;
        uint256 searched = length < SEARCHED ? length : SEARCHED;
        for (uint256 i = 0; i < searched; ++i) {
            if (payouts.receivers[i] == receiver) {
                payouts.amounts[i] += amount;
                return;
            }
        }
        payouts.push(receiver, amount);
    }

    /// @notice Adds a separate payment, even if the receiver is already in the list.
    /// @param payouts the list
    /// @param receiver the account that gets it
    /// @param amount base units of the token; nothing happens for 0
    function push(Payouts memory payouts, address receiver, uint256 amount) internal pure {
        if (amount == 0) return;
        uint256 length = payouts.length;
        payouts.receivers[length] = receiver;
        payouts.amounts[length] = amount;
        payouts.length = length + 1;
    }

    /// @notice Adds what each receiver gets when the charged part of the total grows.
    /// @dev Nested cumulative floors: receiver i gets its share of what receivers 0…i get together. Nothing is left over
    /// however the price is divided into charges, and a full settlement pays exactly the amounts. Products fit, because
    /// the total is below 2¹²⁸.
    /// @param payouts the list
    /// @param amounts the split of the total
    /// @param receivers the account for each amount
    /// @param total the sum of the amounts
    /// @param before the amount charged before
    /// @param afterwards the amount charged in all afterwards
    function split(
        Payouts memory payouts,
        uint256[] calldata amounts,
        address[] calldata receivers,
        uint256 total,
        uint256 before,
        uint256 afterwards
    ) internal pure {
        if (before == afterwards) return;
        for (uint256 i = amounts.length - 1; i > 0; --i) {
            uint256 given = before * amounts[i] / total;
            uint256 due = afterwards * amounts[i] / total;
            payouts.add(receivers[i], due - given);
            before -= given;
            afterwards -= due;
            total -= amounts[i];
        }
        payouts.add(receivers[0], afterwards - before);
    }
}
