// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";

import {DIDRegistry} from "../../src/DIDRegistry.sol";
import {Dispenser} from "../../src/Dispenser.sol";
import {NeverminedToken} from "../../src/NeverminedToken.sol";
import {ServiceExecutionTemplate} from "../../src/ServiceExecutionTemplate.sol";
import {TemplateStoreManager} from "../../src/TemplateStoreManager.sol";
import {vm} from "./Vm.sol";

/// @notice Deploys the bytecode that is shipped, not what the tests' own compilation would give.
library Deployed {
    function token(address admin) internal returns (NeverminedToken) {
        return NeverminedToken(_deploy("NeverminedToken", abi.encode(admin)));
    }

    function dispenser(NeverminedToken token_, address owner) internal returns (Dispenser) {
        return Dispenser(_deploy("Dispenser", abi.encode(token_, owner)));
    }

    function registry() internal returns (DIDRegistry) {
        return DIDRegistry(_deploy("DIDRegistry", ""));
    }

    function templates(address owner) internal returns (TemplateStoreManager) {
        return TemplateStoreManager(_deploy("TemplateStoreManager", abi.encode(owner)));
    }

    function template(IERC20 token_, DIDRegistry registry_, TemplateStoreManager templates_)
        internal
        returns (ServiceExecutionTemplate)
    {
        bytes memory arguments = abi.encode(token_, registry_, templates_);
        return ServiceExecutionTemplate(_deploy("ServiceExecutionTemplate", arguments));
    }

    function _deploy(string memory name, bytes memory arguments) private returns (address) {
        return vm.deployCode(string.concat("out/", name, ".sol/", name, ".json"), arguments);
    }
}
