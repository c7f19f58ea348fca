// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IERC1271} from "@openzeppelin/contracts/interfaces/IERC1271.sol";
import {IERC721} from "@openzeppelin/contracts/token/ERC721/IERC721.sol";
import {IERC6551Account} from "../../src/accounts/IERC6551.sol";
import {TokenAccount} from "../../src/accounts/TokenAccount.sol";
import {between, vm} from "../Cheats.sol";
import {AccountTest} from "./AccountTest.sol";

/// @title Who takes ether, and answers it with another order
contract Answering {
    /// @notice Give an order to who pays.
    receive() external payable {
        TokenAccount(payable(msg.sender)).execute(address(this), 1, "", 0);
    }
}

/// @title Who takes nothing
contract Refusing {
    /// @notice What it says.
    error Never(uint256 value);

    /// @notice Refuse.
    receive() external payable {
        revert Never(msg.value);
    }
}

/// @title An account does what the owner of its work says, and nobody else
contract TokenAccountTest is AccountTest {
    bytes4 private constant INVALID = 0xffffffff;

    /// @notice Whoever is not the owner is refused, whatever they ask for, and nothing has changed.
    function test_fuzz_others_are_refused(address caller, address to, uint96 value, bytes calldata input, uint8 kind)
        public
    {
        vm.assume(caller != _wallet(0));
        TokenAccount account = _account(1);
        vm.deal(address(account), value);

        vm.expectRevert(abi.encodeWithSelector(TokenAccount.NotOwner.selector, caller));
        vm.prank(caller);
        account.execute(to, value, input, kind);

        vm.assertEq(account.state(), 0);
        vm.assertEq(address(account).balance, value);
    }

    /// @notice The owner's orders are carried out, and each is counted.
    function test_fuzz_orders_are_counted(uint96 held, uint96 sent, uint256 n) public {
        TokenAccount account = _account(1);
        (sent, n) = (uint96(between(sent, 0, held)), between(n, 1, 8));
        vm.deal(address(account), held);

        for (uint256 i = 0; i < n; ++i) {
            vm.prank(_wallet(0));
            account.execute(ALICE, i == 0 ? sent : 0, "", 0);
        }

        vm.assertEq(account.state(), n);
        vm.assertEq(address(account).balance, held - sent);
        vm.assertEq(ALICE.balance, sent);
    }

    /// @notice The owner may pay for an order with it.
    function test_fuzz_an_order_may_bring_its_ether(uint96 value) public {
        vm.deal(_wallet(0), value);

        vm.prank(_wallet(0));
        _account(1).execute{value: value}(ALICE, value, "", 0);

        vm.assertEq(ALICE.balance, value);
    }

    /// @notice An order that fails is not counted, and its reason comes through.
    function test_fuzz_a_failed_order_changes_nothing(uint96 value) public {
        TokenAccount account = _account(1);
        address refusing = address(new Refusing());
        vm.deal(address(account), value);

        vm.expectRevert(abi.encodeWithSelector(Refusing.Never.selector, value));
        vm.prank(_wallet(0));
        account.execute(refusing, value, "", 0);

        vm.assertEq(account.state(), 0);
        vm.assertEq(address(account).balance, value);
    }

    /// @notice No code of others runs as the account.
    function test_fuzz_only_calls(uint8 operation, address to, bytes calldata input) public {
        vm.assume(operation != 0);

        vm.expectRevert(abi.encodeWithSelector(TokenAccount.OnlyCalls.selector, operation));
        vm.prank(_wallet(0));
        _account(1).execute(to, 0, input, operation);
    }

    /// @notice Who is called by the account is not its owner, nor is the account itself.
    function test_an_order_gives_no_order() public {
        TokenAccount account = _account(1);
        address answering = address(new Answering());
        vm.deal(address(account), 2);

        vm.expectRevert(abi.encodeWithSelector(TokenAccount.NotOwner.selector, answering));
        vm.prank(_wallet(0));
        account.execute(answering, 1, "", 0);

        bytes memory order = abi.encodeCall(TokenAccount.execute, (ALICE, 1, "", 0));
        vm.expectRevert(abi.encodeWithSelector(TokenAccount.NotOwner.selector, address(account)));
        vm.prank(_wallet(0));
        account.execute(address(account), 0, order, 0);
    }

    /// @notice Signatures are the owner's, and no longer that of who was it.
    function test_fuzz_signatures_follow_the_work(bytes32 digest, uint256 before, uint256 later) public {
        // The order of the curve has 256 bits; keys are below it.
        (before, later) = (between(before, 10, type(uint128).max), between(later, 10, type(uint128).max));
        vm.assume(before != later);
        TokenAccount account = _account(1);
        _give(_wallet(0), vm.addr(before));
        vm.assertEq(account.isValidSignature(digest, _signed(before, digest)), IERC1271.isValidSignature.selector);
        vm.assertEq(account.isValidSigner(vm.addr(before), ""), IERC6551Account.isValidSigner.selector);
        vm.assertEq(account.isValidSignature(digest, _signed(later, digest)), INVALID);

        _give(vm.addr(before), vm.addr(later));

        vm.assertEq(account.isValidSignature(digest, _signed(later, digest)), IERC1271.isValidSignature.selector);
        vm.assertEq(account.isValidSigner(vm.addr(later), ""), IERC6551Account.isValidSigner.selector);
        vm.assertEq(account.isValidSignature(digest, _signed(before, digest)), INVALID);
        vm.assertEq(account.isValidSigner(vm.addr(before), ""), bytes4(0));
    }

    /// @notice What is no signature of the owner over this digest is none.
    function test_fuzz_nothing_else_is_a_signature(bytes32 digest, bytes32 other, bytes calldata noise) public view {
        vm.assume(digest != other);
        bytes memory owners = _signed(_key(0), other);
        vm.assertEq(_account(1).isValidSignature(digest, owners), INVALID);
        vm.assertEq(_account(1).isValidSignature(digest, noise), INVALID);
    }

    /// @notice On another chain than its work's an account has no owner, and obeys nobody.
    function test_fuzz_nobody_owns_a_work_of_another_chain(uint64 chainId, address caller) public {
        // No transaction comes from the zero address.
        vm.assume(chainId != block.chainid && caller != address(0));
        TokenAccount account = _create(chainId, 1);

        vm.assertEq(account.owner(), address(0));
        vm.assertEq(account.isValidSigner(address(0), ""), bytes4(0));
        vm.assertEq(account.isValidSigner(_wallet(0), ""), bytes4(0));
        vm.expectRevert(abi.encodeWithSelector(TokenAccount.NotOwner.selector, caller));
        vm.prank(caller);
        account.execute(ALICE, 0, "", 0);
    }

    /// @notice It takes any work but its own.
    function test_its_own_work_is_refused() public {
        vm.prank(_wallet(1));
        collection.safeTransferFrom(_wallet(1), address(_account(1)), 2);
        vm.assertEq(collection.ownerOf(2), address(_account(1)));

        vm.expectRevert(abi.encodeWithSelector(TokenAccount.OwnWork.selector));
        vm.prank(_wallet(0));
        collection.safeTransferFrom(_wallet(0), address(_account(1)), 1);
    }

    /// @notice Not guaranteed: works in each other's accounts are out of everybody's reach.
    function test_two_works_can_lock_each_other() public {
        vm.prank(_wallet(0));
        collection.safeTransferFrom(_wallet(0), address(_account(2)), 1);
        vm.prank(_wallet(1));
        collection.safeTransferFrom(_wallet(1), address(_account(1)), 2);

        vm.assertEq(_account(1).owner(), address(_account(2)));
        vm.assertEq(_account(2).owner(), address(_account(1)));
    }

    function _give(address from, address to) private {
        vm.prank(from);
        IERC721(address(collection)).transferFrom(from, to, 1);
    }
}
