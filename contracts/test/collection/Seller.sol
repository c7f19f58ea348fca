// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {MorphoraCollection} from "../../src/MorphoraCollection.sol";
import {Cheats, between, vm} from "../Cheats.sol";

/// @title An owner and four wallets that do anything a collection allows, and try what it does not
/// @notice Keeps its own books, from payments and events alone, for the invariants to compare.
contract Seller {
    bytes32 private constant COMMITTED = MorphoraCollection.DropCommitted.selector;

    /// @notice The collection, owned by this contract.
    MorphoraCollection public immutable collection;

    /// @notice What wallets paid for mints that succeeded.
    uint256 public paidWei;

    /// @notice What reached treasuries.
    uint256 public withdrawnWei;

    /// @notice The head, computed from the events of drops.
    bytes32 public rebuiltHead;

    /// @notice The first id of the next drop, computed from the events of drops.
    uint256 public nextTokenId = 1;

    /// @notice A digest of what was promised when a drop's sale opened; zero before.
    mapping(uint256 dropNumber => bytes32) public promiseOf;

    address[4] private _wallets = [address(0xA11CE), address(0xB0B), address(0xCA7), address(0xD06)];

    constructor() {
        collection = new MorphoraCollection("Portraits", "PORTRAIT", "", address(0x7EA5), 500);
        MorphoraCollection.Drop memory drop;
        commit(8, drop);
        open(1, 1 ether, 4);
    }

    /// @notice Commit a drop of 1 to 8 works.
    function commit(uint256 count, MorphoraCollection.Drop memory drop) public {
        drop.firstTokenId = nextTokenId;
        drop.count = between(count, 1, 8);
        vm.recordLogs();
        collection.commitDrop(drop, "ipfs://files/");
        _read(vm.getRecordedLogs());
    }

    /// @notice Open a drop's sale; where it is open, fail to change its terms.
    function open(uint256 pick, uint96 priceWei, uint256 cap) public {
        uint256 dropNumber = _drop(pick);
        bool isOpen = promiseOf[dropNumber] != 0;
        if (isOpen) _refusesChange(dropNumber);
        collection.openSale(dropNumber, priceWei, between(cap, 1, 4));
        if (!isOpen) promiseOf[dropNumber] = termsOf(dropNumber);
    }

    /// @notice Move a drop's files; where its sale is open, fail to.
    function moveFiles(uint256 pick, string calldata baseURI) external {
        uint256 dropNumber = _drop(pick);
        if (promiseOf[dropNumber] != 0) _refusesChange(dropNumber);
        collection.setBaseURI(dropNumber, baseURI);
    }

    /// @notice A wallet asks four times for up to five works, and pays their price, or now and then one wei more.
    function mint(uint256 wallet, uint256 pick, uint256 quantity) external {
        uint256 dropNumber = _drop(pick);
        address buyer = _wallets[wallet % _wallets.length];
        for (uint256 i = 0; i < 4; ++i) {
            _buy(buyer, dropNumber, uint256(keccak256(abi.encode(quantity, i))));
        }
    }

    /// @notice The owner of a work hands it to a wallet.
    function transfer(uint256 pick, uint256 wallet) external {
        uint256 tokenId = between(pick, 1, nextTokenId);
        try collection.ownerOf(tokenId) returns (address owner) {
            vm.prank(owner);
            collection.transferFrom(owner, _wallets[wallet % _wallets.length], tokenId);
        } catch {}
    }

    /// @notice Name one of four treasuries, and send it everything.
    function withdraw(uint160 pick) external {
        address treasury = address(0x7EA5 + pick % 4);
        collection.setTreasury(treasury);
        uint256 before = treasury.balance;
        collection.withdraw();
        withdrawnWei += treasury.balance - before;
    }

    /// @notice The wallets, nobody else ever owns a work.
    function wallets() external view returns (address[4] memory) {
        return _wallets;
    }

    /// @notice A digest of everything about a drop but how far its sale got.
    function termsOf(uint256 dropNumber) public view returns (bytes32) {
        MorphoraCollection.Sale memory sale = collection.saleOf(dropNumber);
        sale.minted = 0;
        return keccak256(abi.encode(sale, collection.baseURIOf(dropNumber)));
    }

    function _read(Cheats.Log[] memory logs) private {
        for (uint256 i = 0; i < logs.length; ++i) {
            if (logs[i].emitter != address(collection) || logs[i].topics[0] != COMMITTED) continue;
            (MorphoraCollection.Drop memory drop,) = abi.decode(logs[i].data, (MorphoraCollection.Drop, string));
            rebuiltHead = keccak256(abi.encode(rebuiltHead, drop));
            nextTokenId = drop.firstTokenId + drop.count;
        }
    }

    function _refusesChange(uint256 dropNumber) private {
        vm.expectRevert(abi.encodeWithSelector(MorphoraCollection.SaleAlreadyOpen.selector, dropNumber));
    }

    function _buy(address buyer, uint256 dropNumber, uint256 chance) private {
        uint256 quantity = between(chance, 0, 5);
        uint256 surplus = chance >> 253 == 0 ? 1 : 0;
        uint256 sent = quantity * collection.saleOf(dropNumber).priceWei + surplus;
        vm.deal(buyer, sent);
        vm.prank(buyer);
        try collection.mint{value: sent}(dropNumber, quantity) {
            paidWei += sent;
        } catch {}
    }

    /// @dev The first drop as often as any other, so that it sells out.
    function _drop(uint256 pick) private view returns (uint256) {
        return pick % 2 == 0 ? 1 : between(pick >> 1, 1, collection.dropCount());
    }
}
