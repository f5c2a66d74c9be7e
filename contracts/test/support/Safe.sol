// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IERC1271} from "@openzeppelin/contracts/interfaces/IERC1271.sol";
import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";

/// @notice A contract account of two owners, both of whom must sign, as in a Safe: what they sign is bound to this
/// account and this chain, so that a signature for one account is not valid for another account of the same owners.
contract Safe is IERC1271, EIP712 {
    bytes32 private constant MESSAGE_TYPEHASH = keccak256("SafeMessage(bytes32 hash)");
    bytes32 private constant CALL_TYPEHASH = keccak256("SafeCall(address to,bytes data,uint256 nonce)");

    address public immutable first;
    address public immutable second;
    uint256 public nonce;
    bool public closed;

    error NotSigned();

    constructor(address first_, address second_) EIP712("Safe", "1") {
        first = first_;
        second = second_;
    }

    /// @notice Makes a call that both owners signed.
    function execute(address to, bytes calldata data, bytes calldata signatures) external {
        bytes32 call = keccak256(abi.encode(CALL_TYPEHASH, to, keccak256(data), nonce++));
        if (!_signed(_hashTypedDataV4(call), signatures)) revert NotSigned();
        (bool done, bytes memory result) = to.call(data);
        if (!done) {
            assembly ("memory-safe") {
                revert(add(result, 32), mload(result))
            }
        }
    }

    /// @notice Withdraws every signature, as an account does whose owners have changed.
    function close() external {
        if (msg.sender != first) revert NotSigned();
        closed = true;
    }

    function isValidSignature(bytes32 hash, bytes calldata signature) external view returns (bytes4) {
        bytes32 message = _hashTypedDataV4(keccak256(abi.encode(MESSAGE_TYPEHASH, hash)));
        return !closed && _signed(message, signature) ? IERC1271.isValidSignature.selector : bytes4(0);
    }

    function _signed(bytes32 digest, bytes calldata signatures) private view returns (bool) {
        if (signatures.length != 130) return false;
        (address one,,) = ECDSA.tryRecover(digest, signatures[:65]);
        (address two,,) = ECDSA.tryRecover(digest, signatures[65:]);
        return one == first && two == second;
    }
}
