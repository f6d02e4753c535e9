// Apple's <mach/mach_vm.h>, which zig does not bring, as far as the allocators here need it.
#ifndef MACH_VM_H
#define MACH_VM_H

#include <mach/mach_types.h>
#include <mach/memory_object_types.h>

#ifdef __cplusplus
extern "C"
#endif
kern_return_t mach_vm_map(vm_map_t target, mach_vm_address_t *address, mach_vm_size_t size,
    mach_vm_offset_t mask, int flags, mem_entry_name_port_t object, memory_object_offset_t offset,
    boolean_t copy, vm_prot_t protection, vm_prot_t maximum, vm_inherit_t inheritance);

#endif
