/*
 * irp.c - request packets and memory descriptor lists of the driver's own: allocated, reused, freed.
 *
 * Nobody sends a packet anywhere here.  Both are blocks of the module's pool, so that what is not given back is a leak.
 */
#include "internal.h"

#include <string.h>

#include <ntddk.h>

enum { IRP_TAG = 0x20707249, MDL_TAG = 0x206C644D };    /* 'Irp ', 'Mdl ' */

/* A block that the functions below made; NULL after an event when it is none. */
static void *block_of(void *address, uint32_t tag, const void *pc)
{
    uint32_t number = NONE;

    memory_check(address, 1, true, pc);
    if (pool_is_internal(address, &number) && pool_blocks[number].tag == tag)
        return address;
    misuse(MISUSE_POOL_NOT_POOL, number, address, tag, 0, pc);
    return NULL;
}

/* ---- request packets */

static void initialize(PIRP irp, USHORT size, CCHAR stack)
{
    memset(irp, 0, size);
    irp->Type = 6;                          /* IO_TYPE_IRP */
    irp->Size = size;
    irp->StackCount = stack;
    irp->CurrentLocation = (CHAR)(stack + 1);
    InitializeListHead(&irp->ThreadListEntry);
    irp->Tail.Overlay.CurrentStackLocation = (PIO_STACK_LOCATION)(void *)(irp + 1) + stack;
}

/*
 * IoAllocateIrp, IoInitializeIrp, IoReuseIrp, IoFreeIrp (wdm.h)
 *
 * Caller      module, IRQL <= DISPATCH_LEVEL
 * Documented  NULL when there is no memory; the driver frees what it allocated          (IoAllocateIrp, IoFreeIrp)
 */
PIRP IoAllocateIrp(CCHAR StackSize, BOOLEAN ChargeQuota)
{
    const void *pc = CALLER();
    USHORT size = IoSizeOfIrp(StackSize);
    PIRP irp;

    (void)ChargeQuota;
    irql_require_max(LEVEL_DISPATCH, pc);
    irp = (PIRP)(void *)pool_internal(size, IRP_TAG, SITE_ALLOCATE, pc);
    if (irp)
        initialize(irp, size, StackSize);
    return irp;
}

VOID IoInitializeIrp(PIRP Irp, USHORT PacketSize, CCHAR StackSize)
{
    memory_use(Irp, PacketSize, true, CALLER());
    initialize(Irp, PacketSize, StackSize);
}

VOID IoReuseIrp(PIRP Irp, NTSTATUS Iostatus)
{
    const void *pc = CALLER();

    memory_use(Irp, sizeof *Irp, true, pc);
    memory_use(Irp, Irp->Size, true, pc);
    initialize(Irp, Irp->Size, Irp->StackCount);
    Irp->IoStatus.Status = Iostatus;
}

VOID IoFreeIrp(PIRP Irp)
{
    const void *pc = CALLER();

    irql_require_max(LEVEL_DISPATCH, pc);
    if (block_of(Irp, IRP_TAG, pc))
        pool_internal_free(Irp, pc);
}

/* ---- memory descriptor lists */

/*
 * IoAllocateMdl, MmBuildMdlForNonPagedPool, IoFreeMdl (wdm.h)
 *
 * Caller      module, IRQL <= DISPATCH_LEVEL
 * Documented  with a packet the list becomes its list, or with SecondaryBuffer the last one of its chain
 *                                                                                           (IoAllocateMdl)
 */
PMDL IoAllocateMdl(PVOID VirtualAddress, ULONG Length, BOOLEAN SecondaryBuffer, BOOLEAN ChargeQuota, PIRP Irp)
{
    const void *pc = CALLER();
    size_t pages = ADDRESS_AND_SIZE_TO_SPAN_PAGES(VirtualAddress, Length);
    PMDL mdl, *link;

    (void)ChargeQuota;
    irql_require_max(LEVEL_DISPATCH, pc);
    mdl = (PMDL)(void *)pool_internal(sizeof *mdl + pages * sizeof(ULONG_PTR), MDL_TAG, SITE_ALLOCATE, pc);
    if (!mdl)
        return NULL;
    mdl->Size = (CSHORT)(sizeof *mdl + pages * sizeof(ULONG_PTR));
    mdl->StartVa = PAGE_ALIGN(VirtualAddress);
    mdl->ByteOffset = BYTE_OFFSET(VirtualAddress);
    mdl->ByteCount = Length;
    if (Irp) {
        memory_use(Irp, sizeof *Irp, true, pc);
        link = &Irp->MdlAddress;
        while (SecondaryBuffer && *link)
            link = &(*link)->Next;
        *link = mdl;
    }
    return mdl;
}

VOID MmBuildMdlForNonPagedPool(PMDLX MemoryDescriptorList)
{
    const void *pc = CALLER();

    irql_require_max(LEVEL_DISPATCH, pc);
    memory_use(MemoryDescriptorList, sizeof *MemoryDescriptorList, true, pc);
    MemoryDescriptorList->MappedSystemVa = MmGetMdlVirtualAddress(MemoryDescriptorList);
    MemoryDescriptorList->MdlFlags |= MDL_SOURCE_IS_NONPAGED_POOL;
}

VOID IoFreeMdl(PMDL Mdl)
{
    const void *pc = CALLER();

    irql_require_max(LEVEL_DISPATCH, pc);
    if (block_of(Mdl, MDL_TAG, pc))
        pool_internal_free(Mdl, pc);
}
