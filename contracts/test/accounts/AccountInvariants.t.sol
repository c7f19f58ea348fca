// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IERC6551Account} from "../../src/accounts/IERC6551.sol";
import {TokenAccount} from "../../src/accounts/TokenAccount.sol";
import {between, vm} from "../Cheats.sol";
import {AccountTest} from "./AccountTest.sol";

/// @title Works that change hands, go into each other's accounts and come out, while everybody gives orders
/// @notice Keeps its own books of what accounts were given, paid and asked for.
contract Owners is AccountTest {
    /// @notice Orders that were carried out by the account of a work.
    mapping(uint256 tokenId => uint256) public ordersOf;
    /// @notice Wei that the account of a work has to have.
    mapping(uint256 tokenId => uint256) public owedTo;
    /// @notice How often something succeeded, or was refused that has to be, by its name.
    mapping(string name => uint256) public reached;

    constructor() {
        setUp();
    }

    /// @inheritdoc AccountTest
    function setUp() public override {
        // Forge calls this too.
        if (address(collection) == address(0)) super.setUp();
    }

    /// @notice Somebody pays an account.
    function pay(uint256 tokenId, uint64 value) external {
        tokenId = _work(tokenId);
        vm.deal(address(this), value);
        (bool isDone,) = address(_account(tokenId)).call{value: value}("");
        require(isDone, "an account refused ether");
        owedTo[tokenId] += value;
        ++reached["paid"];
    }

    /// @notice A wallet, or an account by its owner's order, has an account pay somebody.
    function order(uint256 tokenId, uint256 who, uint64 value) external {
        tokenId = _work(tokenId);
        address owner = collection.ownerOf(tokenId);
        uint256 paid = value % 8 == 0 ? owedTo[tokenId] + 1 : between(value, 0, owedTo[tokenId]);
        bytes memory call = abi.encodeCall(TokenAccount.execute, (ALICE, paid, "", 0));
        (bool isDone, bool isThrough, address caller) = _send(who, address(_account(tokenId)), call);
        if (!isDone) {
            require(caller != owner || paid > owedTo[tokenId], "an owner was refused");
            ++reached[caller == owner ? "too much" : "a stranger refused"];
            return;
        }
        require(caller == owner, "a stranger was obeyed");
        ++ordersOf[tokenId];
        owedTo[tokenId] -= paid;
        ++reached[isThrough ? "ordered by an account" : "ordered"];
    }

    /// @notice A wallet, or an account, sends a work to a wallet or into an account.
    function give(uint256 tokenId, uint256 who, uint256 where) external {
        tokenId = _work(tokenId);
        address owner = collection.ownerOf(tokenId);
        uint256 into = _work(where >> 8);
        // Works in each other's accounts would stay there, and nothing happen any more.
        bool isAccount = where % 2 == 0 && collection.ownerOf(into).code.length == 0;
        address to = isAccount ? address(_account(into)) : _wallet(where >> 8);
        bytes memory call = abi.encodeWithSignature("safeTransferFrom(address,address,uint256)", owner, to, tokenId);
        (bool isDone, bool isThrough, address caller) = _send(who, address(collection), call);
        if (isDone) {
            require(caller == owner, "a stranger gave a work away");
            ++reached[isAccount ? "given into an account" : isThrough ? "taken out" : "given"];
        } else if (caller == owner) {
            require(isAccount && into == tokenId, "an owner could not give");
            ++reached["its own work refused"];
        }
    }

    /// @notice The account of a work.
    function accountOf(uint256 tokenId) external view returns (TokenAccount) {
        return _account(tokenId);
    }

    /// @notice Who owns a work.
    function ownerOf(uint256 tokenId) external view returns (address) {
        return collection.ownerOf(tokenId);
    }

    /// @notice The collection's address.
    function works() external view returns (address) {
        return address(collection);
    }

    /// @notice The wallets, then the accounts.
    function actor(uint256 i) external view returns (address) {
        return i < WORKS ? _wallet(i) : address(_account(1 + i - WORKS));
    }

    /// @dev A call by a wallet, or by an account whose owner is a wallet, on that wallet's order.
    function _send(uint256 who, address to, bytes memory call)
        private
        returns (bool isDone, bool isThrough, address caller)
    {
        uint256 through = _work(who);
        address owner = collection.ownerOf(through);
        isThrough = (who >> 8) % 2 == 0 && owner.code.length == 0;
        if (!isThrough) {
            caller = _wallet(who);
            vm.prank(caller);
            (isDone,) = to.call(call);
            return (isDone, isThrough, caller);
        }
        TokenAccount account = _account(through);
        vm.prank(owner);
        try account.execute(to, 0, call, 0) {
            isDone = true;
            ++ordersOf[through];
        } catch {}
        caller = address(account);
    }

    function _work(uint256 x) private pure returns (uint256) {
        return between(x, 1, WORKS);
    }
}

/// @title What holds whoever orders what
contract AccountInvariantTest {
    uint256 private constant WORKS = 3;

    Owners private owners;
    address[] private _targets;

    /// @notice Each wallet has a work.
    function setUp() public {
        owners = new Owners();
        _targets.push(address(owners));
    }

    /// @notice Forge calls these, and nothing else.
    function targetContracts() external view returns (address[] memory) {
        return _targets;
    }

    /// @notice An account's state is the number of orders that it carried out.
    function invariant_orders_are_counted() public view {
        for (uint256 tokenId = 1; tokenId <= WORKS; ++tokenId) {
            vm.assertEq(owners.accountOf(tokenId).state(), owners.ordersOf(tokenId));
        }
    }

    /// @notice What an account was paid is there, but for what an owner had it pay.
    function invariant_ether_is_kept() public view {
        for (uint256 tokenId = 1; tokenId <= WORKS; ++tokenId) {
            vm.assertEq(address(owners.accountOf(tokenId)).balance, owners.owedTo(tokenId));
        }
    }

    /// @notice An account obeys the owner of its work, who may be an account, and nobody else.
    function invariant_an_account_obeys_one() public view {
        for (uint256 tokenId = 1; tokenId <= WORKS; ++tokenId) {
            TokenAccount account = owners.accountOf(tokenId);
            address owner = owners.ownerOf(tokenId);
            vm.assertEq(account.owner(), owner);
            for (uint256 i = 0; i < 2 * WORKS; ++i) {
                address actor = owners.actor(i);
                bool isTaken = account.isValidSigner(actor, "") == IERC6551Account.isValidSigner.selector;
                vm.assertTrue(isTaken == (actor == owner));
            }
        }
    }

    /// @notice An account belongs to its work for good.
    function invariant_an_account_has_one_work() public view {
        for (uint256 tokenId = 1; tokenId <= WORKS; ++tokenId) {
            (uint256 chainId, address works, uint256 own) = owners.accountOf(tokenId).token();
            vm.assertEq(chainId, block.chainid);
            vm.assertEq(works, owners.works());
            vm.assertEq(own, tokenId);
        }
    }

    /// @notice No work that was sent as it should be is in its own account.
    function invariant_no_work_is_in_its_own_account() public view {
        for (uint256 tokenId = 1; tokenId <= WORKS; ++tokenId) {
            vm.assertTrue(owners.ownerOf(tokenId) != address(owners.accountOf(tokenId)));
        }
    }

    /// @notice Owners do all they are there for.
    function test_owners_reach_everything() public {
        string[9] memory names = [
            "paid",
            "ordered",
            "ordered by an account",
            "too much",
            "a stranger refused",
            "given",
            "given into an account",
            "taken out",
            "its own work refused"
        ];
        for (uint256 i = 0; i < 200; ++i) {
            uint256 x = uint256(keccak256(abi.encode(i)));
            uint256 y = uint256(keccak256(abi.encode(x)));
            if (x % 3 == 0) owners.pay(y, uint64(y >> 64));
            else if (x % 3 == 1) owners.order(y, y >> 64, uint64(y >> 128));
            else owners.give(y, y >> 64, y >> 128);
        }
        for (uint256 i = 0; i < names.length; ++i) {
            require(owners.reached(names[i]) > 0, names[i]);
        }
    }
}
