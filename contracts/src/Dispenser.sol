// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Ownable} from "@openzeppelin/contracts/access/Ownable.sol";
import {Ownable2Step} from "@openzeppelin/contracts/access/Ownable2Step.sol";

import {NeverminedToken} from "./NeverminedToken.sol";

/// @notice The request is too large.
/// @param actual whole tokens
/// @param maximum the most whole tokens per request
error RequestLimitExceeded(uint256 actual, uint256 maximum);

/// @notice The request comes too soon after the last one.
/// @param time the time of the block
/// @param earliest the time from which the account may ask again
error RequestFrequencyExceeded(uint256 time, uint256 earliest);

/// @notice The dispenser would exceed the total that it may give.
/// @param actual whole tokens that it would have given
/// @param maximum the most whole tokens that it may give
error DispenserExhausted(uint256 actual, uint256 maximum);

/// @title Dispenser of tokens for development
/// @notice Gives tokens to anyone who asks, within limits that its owner sets. It must be a minter of the token.
contract Dispenser is Ownable2Step {
    /// @notice The token that it gives.
    NeverminedToken public immutable token;

    /// @notice The most whole tokens per request.
    uint256 public maxAmount = 1000;

    /// @notice The most whole tokens that it ever gives.
    uint256 public maxMintAmount = 100_000_000;

    /// @notice Seconds between two requests of an account.
    uint256 public minPeriod = 0;

    /// @notice Whole tokens that it has given.
    uint256 public dispensed;

    /// @notice Unix time of the last request of an account.
    mapping(address account => uint256 time) public lastRequest;

    /// @notice Tokens were given.
    /// @param requester the account that got them
    /// @param amount whole tokens
    event TokensRequested(address indexed requester, uint256 amount);

    /// @notice The limits were changed.
    /// @param maxAmount the most whole tokens per request
    /// @param maxMintAmount the most whole tokens that it ever gives
    /// @param minPeriod seconds between two requests of an account
    event LimitsChanged(uint256 maxAmount, uint256 maxMintAmount, uint256 minPeriod);

    /// @param token_ the token, which has to make this contract a minter
    /// @param owner_ the account that sets the limits
    constructor(NeverminedToken token_, address owner_) Ownable(owner_) {
        token = token_;
    }

    /// @notice Gives tokens to the caller.
    /// @param amount whole tokens
    function requestTokens(uint256 amount) external {
        // Checks
        if (amount > maxAmount) revert RequestLimitExceeded(amount, maxAmount);
        uint256 earliest = lastRequest[msg.sender] + minPeriod;
        if (block.timestamp < earliest) revert RequestFrequencyExceeded(block.timestamp, earliest);
        uint256 sum = dispensed + amount;
        if (sum > maxMintAmount) revert DispenserExhausted(sum, maxMintAmount);

        // Effects
        dispensed = sum;
        lastRequest[msg.sender] = block.timestamp;
        emit TokensRequested(msg.sender, amount);

        // Interactions
        token.mint(msg.sender, amount * 1 ether);
    }

    /// @notice Changes the limits. The owner calls it.
    /// @param maxAmount_ the most whole tokens per request
    /// @param maxMintAmount_ the most whole tokens that it ever gives
    /// @param minPeriod_ seconds between two requests of an account
    function setLimits(uint256 maxAmount_, uint256 maxMintAmount_, uint256 minPeriod_) external onlyOwner {
        maxAmount = maxAmount_;
        maxMintAmount = maxMintAmount_;
        minPeriod = minPeriod_;
        emit LimitsChanged(maxAmount_, maxMintAmount_, minPeriod_);
    }
}
