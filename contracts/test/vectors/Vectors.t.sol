// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Condition, Settlement, Terms} from "../../src/Agreement.sol";
import {Registration, Update} from "../../src/RegistryRequests.sol";
import {Requests} from "../support/Requests.sol";
import {World} from "../support/World.sol";
import {vm} from "../support/Vm.sol";

/// @notice Ids, digests and signatures as the contracts compute them, written to a file for other languages.
contract VectorsTest is World {
    string private constant RECORD = "measured/vectors.json";

    function test_TheContractsWriteDownIdsDigestsAndSignatures() public {
        string memory agreements = "";
        string memory settlements = "";
        uint256[4] memory chains = [uint256(31_337), 1, 137, 31_337];
        for (uint256 i = 0; i < chains.length; ++i) {
            vm.chainId(chains[i]);
            Terms memory t = _sample(i);
            bytes32 id = template.agreementId(t);
            agreements = string.concat(agreements, i == 0 ? "" : ",", _agreement(chains[i], t, id));
            Settlement memory s = _settlement(i);
            settlements = string.concat(settlements, i == 0 ? "" : ",", _settled(chains[i], s, id));
        }
        string memory dids = "";
        for (uint256 i = 0; i < 3; ++i) {
            dids = string.concat(dids, i == 0 ? "" : ",", _did(keccak256(abi.encode(i)), vm.addr(i + 1)));
        }
        string memory all = string.concat('{"agreements":[', agreements, '],"settlements":[', settlements, "],");
        all = string.concat(all, '"dids":[', dids, '],"requests":[', _requests(), "]}");
        vm.writeFile(RECORD, all);
    }

    /// @dev Signed requests to the registry: two registrations in a batch, an update, a transfer, a change of a provider.
    function _requests() private view returns (string memory) {
        uint256 deadline = START + 600;
        bytes32 asset = registry.hashDID("seed", CONSUMER);
        Registration[] memory both = new Registration[](2);
        both[0] = Registration("seed", keccak256("ddo"), new address[](0), "https://metadata.example/a");
        both[1] = Registration("other", keccak256("other ddo"), new address[](2), unicode"https://metadata.example/ä");
        (both[1].providers[0], both[1].providers[1]) = (GATEWAY, OWNER);
        Update[] memory next = Requests.one(Update(asset, keccak256("next ddo"), "https://metadata.example/b", 2));
        bytes32[4] memory digests = [
            Requests.registrationsDigest(registry, CONSUMER, both, deadline),
            Requests.updatesDigest(registry, CONSUMER, next, deadline),
            Requests.transferDigest(registry, asset, OWNER, 3, deadline),
            Requests.providerDigest(registry, asset, GATEWAY, true, 4, deadline)
        ];
        string[4] memory names = ["Registrations", "Updates", "Transfer", "ProviderChange"];
        string[4] memory messages = [
            string.concat("{", _text("creator", vm.toString(CONSUMER)), _items(both), _last("deadline", deadline)),
            string.concat("{", _text("owner", vm.toString(CONSUMER)), _items(next), _last("deadline", deadline)),
            string.concat(
                string.concat("{", _text("did", vm.toString(asset)), _text("newOwner", vm.toString(OWNER))),
                string.concat(_number("changes", 3), _last("deadline", deadline))
            ),
            string.concat(
                string.concat("{", _text("did", vm.toString(asset)), _text("provider", vm.toString(GATEWAY))),
                string.concat('"allowed":true,', _number("changes", 4), _last("deadline", deadline))
            )
        ];
        string memory list = "";
        for (uint256 i = 0; i < 4; ++i) {
            string memory head = string.concat(
                "{",
                _number("chainId", block.chainid),
                _text("verifyingContract", vm.toString(address(registry))),
                _text("primaryType", names[i])
            );
            string memory tail = string.concat(
                _text("digest", vm.toString(digests[i])),
                _text("key", vm.toString(bytes32(CONSUMER_KEY))),
                '"signature":',
                _quoted(vm.toString(_sign(CONSUMER_KEY, digests[i])))
            );
            string memory message = string.concat('"message":', messages[i], "},");
            list = string.concat(list, i == 0 ? "" : ",", head, message, tail, "}");
        }
        return list;
    }

    function _items(Registration[] memory items) private pure returns (string memory list) {
        for (uint256 i = 0; i < items.length; ++i) {
            string memory providers = "";
            for (uint256 j = 0; j < items[i].providers.length; ++j) {
                providers = string.concat(providers, j == 0 ? "" : ",", _quoted(vm.toString(items[i].providers[j])));
            }
            list = string.concat(
                list,
                i == 0 ? "{" : ",{",
                _text("didSeed", vm.toString(items[i].didSeed)),
                _text("checksum", vm.toString(items[i].checksum)),
                string.concat('"providers":[', providers, '],"url":', _quoted(items[i].url), "}")
            );
        }
        list = string.concat('"items":[', list, "],");
    }

    function _items(Update[] memory items) private pure returns (string memory) {
        return string.concat(
            '"items":[{',
            _text("did", vm.toString(items[0].did)),
            _text("checksum", vm.toString(items[0].checksum)),
            _text("url", items[0].url),
            string.concat('"version":', vm.toString(items[0].version), "}],")
        );
    }

    /// @dev An ordinary agreement, one with the largest numbers, one with eight receivers, and a free one.
    function _sample(uint256 i) private returns (Terms memory t) {
        t = i == 3 ? _freeTerms() : _terms();
        t.deadline = uint40(START + 600);
        if (i == 0) return t;
        t.seed = keccak256(abi.encode("seed of sample", i));
        t.workflowHash = keccak256(abi.encode("workflow of sample", i));
        if (i == 1) {
            (t.serviceIndex, t.deadline) = (type(uint32).max, type(uint40).max);
            (t.grantTimeout, t.timeout, t.settleTimeout) = (type(uint32).max, type(uint32).max, type(uint32).max);
            t.amounts = _split(1, type(uint256).max);
        }
        if (i == 2) {
            (t.amounts, t.receivers) = (new uint256[](8), new address[](8));
            for (uint256 j = 0; j < 8; ++j) {
                (t.amounts[j], t.receivers[j]) = (10 ** j, vm.addr(100 + j));
            }
        }
    }

    function _settlement(uint256 i) private pure returns (Settlement memory s) {
        if (i == 0) return Settlement(0, 10 ether, RECEIPT, false);
        if (i == 1) return Settlement(type(uint32).max, type(uint128).max, RECEIPT, true);
        if (i == 2) return Settlement(64, 0, keccak256("free run"), false);
        return Settlement(1, 0, 0, true);
    }

    function _agreement(uint256 chain, Terms memory t, bytes32 id) private view returns (string memory) {
        string memory conditions = string.concat(
            _quoted(vm.toString(template.conditionId(id, Condition.LockReward))),
            ",",
            _quoted(vm.toString(template.conditionId(id, Condition.ComputeExecution))),
            ",",
            _quoted(vm.toString(template.conditionId(id, Condition.EscrowReward)))
        );
        string memory head = string.concat(
            _domain(chain),
            _text("agreementId", vm.toString(id)),
            _text("consumerKey", vm.toString(bytes32(CONSUMER_KEY))),
            _text("consumerSignature", vm.toString(_sign(CONSUMER_KEY, id)))
        );
        return string.concat(head, '"conditionIds":[', conditions, '],"terms":', _json(t), "}");
    }

    function _settled(uint256 chain, Settlement memory s, bytes32 id) private view returns (string memory) {
        bytes32 digest = template.settlementDigest(id, s);
        string memory head = string.concat(
            _domain(chain),
            _text("agreementId", vm.toString(id)),
            _number("index", s.index),
            _text("charge", vm.toString(s.charge)),
            _text("receiptHash", vm.toString(s.receiptHash))
        );
        return string.concat(
            head,
            s.last ? '"last":true,' : '"last":false,',
            _text("digest", vm.toString(digest)),
            _text("providerKey", vm.toString(bytes32(GATEWAY_KEY))),
            '"providerSignature":',
            _quoted(vm.toString(_sign(GATEWAY_KEY, digest))),
            "}"
        );
    }

    function _did(bytes32 didSeed, address creator) private view returns (string memory) {
        return string.concat(
            "{",
            _text("didSeed", vm.toString(didSeed)),
            _text("creator", vm.toString(creator)),
            '"did":',
            _quoted(vm.toString(registry.hashDID(didSeed, creator))),
            "}"
        );
    }

    function _json(Terms memory t) private pure returns (string memory) {
        string memory hashes = string.concat(
            _text("seed", vm.toString(t.seed)),
            _text("did", vm.toString(t.did)),
            _text("inputsHash", vm.toString(t.inputsHash)),
            _text("workflowId", vm.toString(t.workflowId)),
            _text("workflowHash", vm.toString(t.workflowHash))
        );
        string memory parties = string.concat(
            _text("consumer", vm.toString(t.consumer)),
            _text("provider", vm.toString(t.provider)),
            _number("serviceIndex", t.serviceIndex)
        );
        string memory times = string.concat(
            _number("deadline", t.deadline),
            _number("grantTimeout", t.grantTimeout),
            _number("timeout", t.timeout),
            _number("settleTimeout", t.settleTimeout)
        );
        string memory amounts = "";
        string memory receivers = "";
        for (uint256 i = 0; i < t.amounts.length; ++i) {
            amounts = string.concat(amounts, i == 0 ? "" : ",", _quoted(vm.toString(t.amounts[i])));
            receivers = string.concat(receivers, i == 0 ? "" : ",", _quoted(vm.toString(t.receivers[i])));
        }
        string memory head = string.concat("{", hashes, parties, times);
        return string.concat(head, '"amounts":[', amounts, '],"receivers":[', receivers, "]}");
    }

    function _domain(uint256 chain) private view returns (string memory) {
        return string.concat(
            "{", _number("chainId", chain), _text("verifyingContract", vm.toString(address(template)))
        );
    }

    function _text(string memory key, string memory value) private pure returns (string memory) {
        return string.concat(_quoted(key), ":", _quoted(value), ",");
    }

    function _number(string memory key, uint256 value) private pure returns (string memory) {
        return string.concat(_quoted(key), ":", vm.toString(value), ",");
    }

    function _last(string memory key, uint256 value) private pure returns (string memory) {
        return string.concat(_quoted(key), ":", vm.toString(value));
    }

    function _quoted(string memory value) private pure returns (string memory) {
        return string.concat('"', value, '"');
    }
}
